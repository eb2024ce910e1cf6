"""Writing a rule: if it is still what the form was made of, with its line in the audit, and told to every screen.

Threats: a lost update (CWE-362), a change nobody can account for (CWE-778).
"""

from dataclasses import dataclass
from hashlib import blake2b

import orjson
from starlette.requests import Request

from opsmon.core.alerting.records import dump_rule
from opsmon.core.alerting.rules import Rule
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.rule_queries import SavedRule
from opsmon.store.scripts import Scripts
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.rule_forms import told_of


@dataclass(frozen=True, slots=True)
class RuleWriting:
    """Writes the rules of one site."""

    room: AlertRoom
    changing: Changing
    scripts: Scripts

    async def change(self, request: Request, saved: SavedRule | None, after: Rule | None, what: str, believed: str
                     ) -> bool:
        """Write a rule, None takes it away; whether it was still what `believed` says. May be repeated."""
        before = saved.rule if saved else None
        raw, rule = saved.raw if saved else b"", after or before
        if rule is None or mark(raw) != believed:
            return False
        deed = Deed(who_of(request), what, rule.id, rule.title, told_of(before), told_of(after), address_of(request))
        new = orjson.dumps(dump_rule(after)) if after is not None else b""
        done = await self.changing.change(self.room.keys.rules, rule.id, raw, new, deed)
        if done == "done":
            await self.scripts.tell_alerts(rule.id, self.room.clock.now_ms())
        return done == "done"


def mark(raw: bytes) -> str:
    """What a form says that it was made of."""
    return blake2b(raw, digest_size=8).hexdigest()
