"""A seeded simulation: whole runs against the sandbox while everything around them goes wrong.

A seed decides all there is to decide: who leaves and when, the playbook, what Graph does wrong, when the process dies or is
stopped, when the disk is full, and what somebody else does to the same people meanwhile; whether it is all undone
afterwards, and whether they leave once more. Time is virtual: whoever sleeps makes it jump. What happened is written on a
tape, from which `invariants` judges the rules that must hold whatever happens. The same seed gives the same run, to the byte.

Everything is the program's own, from the desk that deals turns to the bytes on the wire, but for the engine that hands turns
out, which is threads and a database of its own: `tests/engine` and `tests/crash` have that one.

    python -m tests.simulation --seeds 0-9999 --jobs 2
    python -m tests.simulation --seed 4711
"""
