"""Values of a sender's, shown in the sentence that says what is wrong with them."""


def shown(value: object, most: int = 40) -> str:
    """A value as Python writes it, cut to `most` characters; in words where it is nested too deep to be written."""
    try:
        return repr(value[:most] if type(value) is str else value)[:most]
    except RecursionError:
        return "nested too deep"


def shown_or_missing(value: object) -> str:
    """The same; 'missing' for None."""
    return "missing" if value is None else shown(value)
