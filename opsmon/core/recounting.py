"""Counting anew: what retained events and remembered states add up to, and which panes that covers.

What entities, groups and visitors add is known from their states, back to the oldest. What events without
memory add is known from the retained stream: of a pane that begins before the oldest retained event, the
old count is all there is, and it is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Rollup
from opsmon.core.events import Event
from opsmon.core.facts import FUTURE_MS, is_remembered_whole, lag_ms, order_members, plain_fact
from opsmon.core.folding import Fold, Folding, Heard, Rules
from opsmon.core.panes import StoredLevel
from opsmon.core.states import Believed, EntityState, State

# Facts that come from states alone.
REMEMBERED = frozenset({
    "order.placed", "order.cancelled", "order.line", "order.open", "order.completed", "refund.given",
    "customer.ordered", "customer.known", "checkout.followed", "stage.entered", "stage.left", "stage.holds",
    "order.edited", "order.held", "payment.attempted", "payment.received", "dispute.opened", "return.requested",
    "return.open", "parcel.moved", "cart.filled",
    "order.quoted", "product.known", "product.tagged",
})
_LONG_AGO = -(2**62)


@dataclass(frozen=True)
class Recount:
    """One way of counting anew. `oldest_ms` is when the oldest retained event arrived (None: all events are
    retained), `fresh` the rollups that have no old count to keep."""

    rules: Rules
    now_ms: int
    oldest_ms: int | None
    fresh: frozenset[str]

    def wants(self, rollup: Rollup, level: StoredLevel, start_ms: int) -> bool:
        """Whether a pane is counted anew; else its old count is kept."""
        if rollup.id in self.fresh or is_remembered(rollup):
            return True
        if level == "n":
            return False
        if rollup.measure == "sessions":
            return start_ms >= self.now_ms - self.rules.retention.minutes_ms
        return start_ms >= self.covers_ms

    @property
    def covers_ms(self) -> int:
        """From when on every event is retained: one may arrive this much before it says it happened."""
        return _LONG_AGO if self.oldest_ms is None else self.oldest_ms + FUTURE_MS

    def of_states(self, states: Iterable[tuple[str, State]], sign: int, rows: dict[tuple[str, str], set[str]]) -> Fold:
        """What states add, or, with sign -1, what they added."""
        folding = self._folding(rows)
        for key, state in states:
            folding.book_state(key, state, sign)
        return folding.finish()

    def of_events(self, events: Iterable[Event], rows: dict[tuple[str, str], set[str]]) -> Fold:
        """What events without memory add. Raises ValueError and the like for one that cannot be used."""
        folding = self._folding(rows)
        heard = Heard()
        for event in events:
            place = event.source, event.arrived_ms // MINUTE_MS
            heard.arrivals.setdefault(place, []).append(lag_ms(event))
            if not is_remembered_whole(event):
                fact = plain_fact(event)
                heard.facts.setdefault((fact.type, fact.time_ms // MINUTE_MS), []).append(fact[1:])
        folding.take_facts(heard, visits=False)
        return folding.finish()

    def _folding(self, rows: dict[tuple[str, str], set[str]]) -> Folding:
        return Folding(Believed({}, rows), self.rules, self.now_ms, self.wants)


def is_remembered(rollup: Rollup) -> bool:
    """Whether all that a rollup counts can be told from states."""
    return all(fact in REMEMBERED for fact in rollup.on)


def groups_of(key: str, state: State | None) -> set[str]:
    """The groups an entity's state is a member of."""
    facts = state.facts if isinstance(state, EntityState) else ()
    return {member.group for member in order_members(key, facts)}
