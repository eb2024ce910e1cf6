"""Faults, long and short: `python -m tests.faults all` for an hour's worth, pytest for a minute's."""
