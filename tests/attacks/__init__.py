"""Attacks in their long form: `python -m tests.attacks NAME`; pytest has the short forms beside what they attack."""
