"""Decides. Pure Python: no Redis, no HTTP, no clock of its own; time is an argument."""
