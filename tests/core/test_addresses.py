"""Addresses with several hosts in one."""

import pytest

from opsmon.core.addresses import each_node


def test_each_node_has_an_address_of_its_own() -> None:
    """With who logs in, and with what follows the hosts."""
    assert each_node("rediss+cluster://me:p%40ss@one:6380,[::1]:6381,three/0?protocol=3") == [
        "rediss+cluster://me:p%40ss@one:6380/0?protocol=3", "rediss+cluster://me:p%40ss@[::1]:6381/0?protocol=3",
        "rediss+cluster://me:p%40ss@three/0?protocol=3"]


def test_what_has_no_scheme_is_refused() -> None:
    """As whoever wrote it would want to know."""
    with pytest.raises(ValueError, match="scheme"):
        each_node("one:6379,two:6379")
