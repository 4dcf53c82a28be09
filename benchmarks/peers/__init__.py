"""What others would write: the same work, one call after the other, without reading anything back.

Why these three: a script with Microsoft's own SDK is what a developer writes, one with a plain HTTP client is the fastest that
a sequential script can be, and one `az rest` process per call is what an administrator's shell script does. Each does the nine
writes of `benchmarks/seed.yaml` and reads what it needs for them, no more: the user with the licenses, and the owned devices.
None verifies, so each has less to do than `offboard`.
"""
