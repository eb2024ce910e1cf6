"""Keeps. The only folder that speaks Redis."""
