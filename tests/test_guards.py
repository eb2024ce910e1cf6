"""Whoever guards something says against what, and who says so: every public name of the modules that keep people out.

A new one that names no threat is either a guard, and says which, or stands in the list of those that are none.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

WEB = ("bodies", "changing", "doors", "edge", "forms", "holding", "hosts", "identity", "rates", "refusing", "sealing",
       "security", "seeing", "strict", "accounts.office", "accounts.passwords", "accounts.signing_in")
STORE = ("changing", "people", "recognising", "screens", "secrets", "sessions", "tokens")
MODULES = (*(f"opsmon.web.{name}" for name in WEB), *(f"opsmon.store.accounts.{name}" for name in STORE),
           "opsmon.core.access", "opsmon.core.pairing", "opsmon.sources.standard_webhooks", "opsmon.sources.tokens")
# Shapes, words and readings that keep nobody out; their callers do.
NO_GUARDS = {
    "opsmon.web.bodies": {"ClientGone", "answer"},
    "opsmon.web.doors": {"Door", "route_of"},
    "opsmon.web.forms": {"read_seal", "type_of"},
    "opsmon.web.holding": {"Crowd.enter", "Crowd.leave"},
    "opsmon.web.hosts": {"name_of"},
    "opsmon.web.identity": {"Accounts", "Accounts.has_admin", "Accounts.session", "Accounts.screen",
        "Accounts.program", "cookie_name", "is_secure"},
    "opsmon.web.rates": {"Rates.take", "network_of"},
    "opsmon.web.refusing": {"Refusal.of", "named"},
    "opsmon.web.sealing": {"csrf", "csrf_token"},
    "opsmon.web.security": {"forbid"},
    "opsmon.web.seeing": {"sees", "marks"},
    "opsmon.web.accounts.office": {"Office", "Office.why", "Office.html"},
    "opsmon.web.accounts.passwords": {"Busy", "Passwords", "Passwords.is_old", "Passwords.close", "is_installed"},
    "opsmon.web.accounts.signing_in": {"Signing", "SignIn", "SignIn.logout"},
    "opsmon.store.accounts.changing": {"Changing"},
    "opsmon.store.accounts.people": {"Link", "everybody", "People", "People.all", "People.one", "People.by_email",
        "People.add", "People.change"},
    "opsmon.store.accounts.recognising": {"Recogniser", "Recogniser.has_admin", "Recogniser.learn"},
    "opsmon.store.accounts.screens": {"Seen", "Seen.state", "Screens", "Screens.all", "Screens.one", "Screens.change",
        "Screens.identify", "Screens.attend", "Screens.note", "is_old"},
    "opsmon.store.accounts.sessions": {"Held", "Sessions", "Sessions.touch", "Sessions.prove", "Sessions.of"},
    "opsmon.store.accounts.tokens": {"Tokens", "Tokens.all"},
    "opsmon.core.access": {"Who", "person", "screen", "program", "sights"},
    "opsmon.core.pairing": {"written", "code_in"},
    "opsmon.sources.standard_webhooks": {"StandardWebhooks", "StandardWebhooks.read", "read_key"},
    "opsmon.sources.tokens": {"check_unbound"},
}
THREAT = re.compile(r"\bthreats?\b", re.IGNORECASE)
SOURCE = re.compile(r"ASVS|OWASP|CWE-\d+|RFC \d+|NIST|W3C|RFC 6265bis")


def public(module: Any) -> Iterator[tuple[str, Any]]:
    """Its functions and classes, and the methods of those."""
    for name, one in vars(module).items():
        if name.startswith("_") or getattr(one, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(one) or inspect.isclass(one):
            yield name, one
        if inspect.isclass(one):
            yield from ((f"{name}.{part}", method) for part, method in vars(one).items()
                        if inspect.isfunction(method) and not part.startswith("_"))


def says_why(one: Any) -> bool:
    """Whether its docstring names a threat, and a source."""
    text = inspect.getdoc(one) or ""
    return bool(THREAT.search(text) and SOURCE.search(text))


@pytest.mark.parametrize("name", MODULES)
def test_every_guard_names_its_threat_and_the_source(name: str) -> None:
    """In its own docstring, where whoever changes it looks."""
    found = dict(public(importlib.import_module(name)))
    assert {one for one, guard in found.items() if not says_why(guard)} == NO_GUARDS.get(name, set())
