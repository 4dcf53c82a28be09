"""Fuzzing of everything that reads what others wrote, guided by coverage.

`python -m tests.fuzz [--seconds N] [TARGET]…` fuzzes longer and keeps what it finds under `regressions/`; the suite runs
each target for a short time and everything ever found. `--atheris` uses libFuzzer instead (`pip install -e '.[fuzz]'`).
"""
