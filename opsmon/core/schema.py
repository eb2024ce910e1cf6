"""How keys and events are written, as one number that every store is marked with. Pure."""

from opsmon.core.errors import NewerStore

# Grows by one whenever an older opsmon would read wrongly what is written, with a step in store/schema.py that brings
# what is stored up to it.
SCHEMA = 1


def refuse_newer(schema: str | None) -> None:
    """Raises NewerStore for a schema that this opsmon does not know: it would count wrongly and spoil what is there."""
    if schema is not None and int(schema) > SCHEMA:
        raise NewerStore(f"This store was written by a newer opsmon (its schema is {schema}, this one knows {SCHEMA}). "
                         "Install that version again, or restore a backup of before.")
