"""Every kind of source says how it is connected, in words that a page can show."""

import re
import tomllib
from pathlib import Path

import pytest

from opsmon.sources.declared import read_sources
from opsmon.sources.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_connected_in_three_to_five_steps(kind: str) -> None:
    """More is a manual, less leaves one guessing."""
    assert 3 <= len(KINDS[kind].steps) <= 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_has_one_place_in_the_steps_and_nothing_else_is_filled_in(kind: str) -> None:
    """{url} is where the page writes the address, {name} what the source is called."""
    places = re.findall(r"{(.*?)}", " ".join(KINDS[kind].steps))
    assert (places.count("url"), set(places) - {"url", "name"}) == (1, set())


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_a_sentence_or_two(kind: str) -> None:
    """It begins with a capital and fits into two or three lines of a phone."""
    assert [step for step in KINDS[kind].steps if not re.fullmatch(r"[A-Z].{15,400}", step)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_setting_of_a_kind_says_what_it_is(kind: str) -> None:
    """`opsmon check` names the settings, the page explains them."""
    options = KINDS[kind].options
    assert [name for name, meaning in options.items() if not re.fullmatch(r"[a-z].{10,}", meaning)] == []


def test_the_readmes_sources_are_ones() -> None:
    """What is copied from there works."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (block,) = re.findall(r"^```toml\n(\[\[source.*?)^```", readme, re.MULTILINE | re.DOTALL)
    sources, problems = read_sources(tomllib.loads(block)["source"], str)
    assert ([source.name for source in sources], problems) == (["woo", "billing", "till"], [])
