"""What the command line does: one verb, or a family of them, per file."""
