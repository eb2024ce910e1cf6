"""What may be said of a person: addresses, names, passwords. Pure."""

import re
from collections.abc import Collection

from opsmon.core.access import PEOPLE, Role

# An address is proven by a mail that arrives; this only catches slips (HTML, 4.10.5.1.5, shortened).
_EMAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]\x00-\x1f\x7f]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
# NIST SP 800-63B-4, 3.1.1.2: 15 characters where a password is all there is, any character, no rules of composition.
# OWASP ASVS 5, 6.2.1 asks for 8; opsmon for 10, which a person at a till will type.
SHORTEST, LONGEST = 10, 128
MOST_TEAMS = 10
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
# What may be told to somebody, and what each likes of it.
NEWS = ("silent", "stopped", "limits", "letters")
_COMMON = frozenset({
    "password", "passwort", "123456789", "1234567890", "12345678910", "qwertyuiop", "qwertzuiop", "letmein",
    "iloveyou", "administrator", "welcome", "changeme", "warehouse", "opsmon", "password1", "password123",
})


class Unfit(ValueError):
    """What somebody typed cannot be; the sentence is for them, in English, and stands in the catalogues."""


def email_of(text: str) -> str:
    """An e-mail address as it is kept, lower-case. Raises ValueError with the sentence for whoever typed it."""
    email = text.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise Unfit("This is no e-mail address: write it like ana@shop.example.")
    return email


def name_of(text: str) -> str:
    """A person's or a thing's name. Raises ValueError."""
    name = " ".join(text.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise Unfit("Give a name of 1 to 60 characters.")
    return name


def role_of(text: str) -> Role:
    """A person's role. Raises ValueError."""
    for role in PEOPLE:
        if role == text:
            return role
    raise Unfit("Choose a role: viewer, operator, manager or admin.")


def choice_of(text: str, known: Collection[str]) -> str:
    """One of several. Raises ValueError."""
    if text not in known:
        raise Unfit("Choose one of the list.")
    return text


def teams_of(text: str) -> tuple[str, ...]:
    """The teams somebody is in, from 'Packing, Returns', in order and each once. Raises ValueError."""
    found = tuple(dict.fromkeys(filter(None, (" ".join(one.split()) for one in text.split(",")))))
    if len(found) > MOST_TEAMS or any(len(one) > 40 or not one.isprintable() for one in found):
        raise Unfit("Give at most 10 teams of up to 40 characters each, with commas between.")
    return found


def quiet_of(begins: str, ends: str) -> tuple[str, str]:
    """The hours in which somebody is left alone, as 'HH:MM' on the site's clock; ('', '') for none. Raises
    ValueError."""
    if not (begins or ends):
        return "", ""
    if not (_TIME.fullmatch(begins) and _TIME.fullmatch(ends)) or begins == ends:
        raise Unfit("Give both times, from and until, or neither: 22:00 and 06:00.")
    return begins, ends


def check_password(password: str, email: str, name: str) -> None:
    """Whether somebody may use a password. Raises ValueError (threat: guessing; OWASP ASVS 5, 6.2)."""
    if len(password) < SHORTEST:
        raise Unfit("Use at least 10 characters: three words that do not belong together are good.")
    if len(password) > LONGEST:
        raise Unfit("Use at most 128 characters.")
    plain = password.casefold()
    known = {email, email.partition("@")[0], name.casefold(), "".join(name.casefold().split())} - {""}
    core = plain.rstrip("0123456789!?.")
    if plain in _COMMON or core in _COMMON or core in known or plain in known or len(set(plain)) < 5:
        raise Unfit("This would be guessed first: use three words that do not belong together.")
