"""Measurements, run by hand: `python -m benchmarks --help`. Never asserted by a timed test.

Why a command and no tests: a figure depends on the machine and on what else it does, so it is reported with its spread and
judged by a person; what must be true everywhere (requests per leaver, effects exactly once) is in the tests as well.
"""
