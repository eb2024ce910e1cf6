"""One table says who may what; what is in no row of it, nobody may."""

import pytest

from opsmon.core.access import (
    AUDIENCES,
    EVERYTHING,
    LOCAL,
    MEANINGS,
    PEOPLE,
    Audience,
    Role,
    Who,
    may,
    needs,
    person,
    program,
    screen,
    sights,
)
from opsmon.core.kpis import BUILT_IN

# What each audience is, once more and by hand: a change of the table has to be made here too.
TABLE: dict[Audience, str] = {
    "screens": "wall viewer operator manager admin", "readers": "viewer operator manager admin",
    "floor": "operator manager admin", "managers": "manager admin", "admins": "admin",
    "numbers": "viewer operator manager admin numbers", "metrics": "manager admin metrics",
    "rules": "manager admin rules",
}
ROLES: tuple[Role, ...] = ("wall", *PEOPLE, "numbers", "metrics", "rules")


def who(role: Role) -> Who:
    return Who("person", "1", "Ana", frozenset({role}), frozenset())


@pytest.mark.parametrize("audience", AUDIENCES)
def test_an_audience_is_who_the_table_says(audience: Audience) -> None:
    """Role by role."""
    assert [role for role in ROLES if may(who(role), audience)] == TABLE[audience].split()


def test_an_unknown_one_may_what_anyone_may_and_nothing_else() -> None:
    """Deny by default."""
    assert [audience for audience in ("anyone", *AUDIENCES) if may(None, audience)] == ["anyone"]


def test_every_audience_is_explained() -> None:
    """Whoever is turned away reads for whom it is."""
    assert set(MEANINGS) == {"anyone", *AUDIENCES}


def test_whoever_sits_at_a_machine_without_accounts_may_all_that_people_may() -> None:
    """The first five minutes need no password."""
    assert [audience for audience in AUDIENCES if not may(LOCAL, audience)] == []
    assert LOCAL.sees == EVERYTHING


def test_money_is_for_managers_and_names_for_those_who_work_with_them() -> None:
    """What each role sees beyond plain numbers."""
    assert {role: sorted(sights(role)) for role in PEOPLE} == {
        "viewer": [], "operator": ["names"], "manager": ["money", "names"], "admin": ["money", "names"]}


def test_a_screen_never_shows_names_and_money_only_when_it_was_let() -> None:
    """A wall hangs where everybody walks by."""
    assert screen("1", "Hall", sees=EVERYTHING).sees == {"money"}
    assert screen("1", "Hall", sees=frozenset()).sees == set()


def test_a_program_may_what_its_scopes_say() -> None:
    """Money is a scope of its own; a scope that does not exist is none."""
    found = program("1", "Sheet", frozenset({"numbers", "money", "admin"}))
    assert (found.roles, found.sees) == ({"numbers"}, {"money"})


def test_money_and_people_are_known_by_unit_and_rows() -> None:
    """Of every number that comes with opsmon."""
    found = {kpi.id: needs(kpi, BUILT_IN.rollup(kpi.rollup)) for kpi in BUILT_IN.kpis}
    assert sorted(kpi_id for kpi_id, sight in found.items() if "names" in sight) == [
        "output-by-person", "scans-by-person"]
    assert {kpi.id for kpi in BUILT_IN.kpis if kpi.unit == "money"} == {
        kpi_id for kpi_id, sight in found.items() if "money" in sight}


def test_two_who_see_the_same_are_shown_the_same() -> None:
    """What a page's tag is made of."""
    assert person("1", "Ana", "manager").marks == person("2", "Ben", "admin").marks == "money-names"
    assert person("3", "Cleo", "viewer").marks == "plain"
