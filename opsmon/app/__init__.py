"""Composition: the only folder that imports every other. A file for each kind of process says how it is made."""
