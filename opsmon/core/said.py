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


class Fault(str):
    """What is wrong with a field of something: 'title: give it a name'. `field` is where a person types it, `sentence`
    is what is said beside it."""

    field: str
    sentence: Said

    def __new__(cls, field: str, text: str, within: str = "", **values: object) -> "Fault":
        """`within` is the table that the field is in, where that is what a file has to be looked up by."""
        sentence = Said(text, **values)
        made = super().__new__(cls, f"{within or field}: {sentence}" if field else str(sentence))
        made.field, made.sentence = field, sentence
        return made
