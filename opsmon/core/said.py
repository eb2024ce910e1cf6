"""A sentence that can be said in another language, made where languages are not known."""


class Said(str):
    """English as it is; `text` and `values` are what it was made of, for whoever says it again.

    Where it is a value of another one it is said again too; a text that is no Said, a name, stays as it is.
    """

    text: str
    values: dict[str, object]

    def __new__(cls, text: str, **values: object) -> "Said":
        """`%(name)s` in the text stands for a value; without values a % is a %."""
        made = super().__new__(cls, text % values if values else text)
        made.text, made.values = text, values
        return made
