"""Measurements, run by hand: `python -m benchmarks`. Never asserted by a timed test."""
