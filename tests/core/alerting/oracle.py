"""An alert's life and what is said of it, told a second time: as a table and in plain sentences.

Nothing of opsmon is imported here: what both have in common was thought twice. Times are ms.
"""

from dataclasses import dataclass, field

OPEN = ("firing", "recovering")
BEFORE_NO_DATA = 300_000

# Where a look at a number that is there leads: state, what was found -> (what must hold first, state, reason). Of
# several the first that holds; without any nothing happens. `lasted`: breach or recovery went on for long enough.
QUIET_BREACH = [("held, no-data", "ok", "number-again"), ("held, learning", "ok", "learned"), ("held", "", ""),
                ("at once", "firing", "beyond"), ("", "pending", "beyond")]
TABLE: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    **{(state, "breach"): QUIET_BREACH for state in ("ok", "resolved", "no-data", "learning")},
    **{("no-data", found): [("", "ok", "number-again")] for found in ("clear", "between")},
    **{("learning", found): [("", "ok", "learned")] for found in ("clear", "between")},
    **{(state, "clear"): [("held", "ok", "stayed-within")] for state in ("ok", "resolved")},
    ("pending", "breach"): [("lasted", "firing", "held")],
    **{("pending", found): [("", "ok", "over-before-it-lasted")] for found in ("clear", "between")},
    ("firing", "clear"): [("", "recovering", "back-within")],
    ("recovering", "breach"): [("", "firing", "beyond-again")],
    ("recovering", "between"): [("lasted", "resolved", "stayed-within")],
    ("recovering", "clear"): [("lasted", "resolved", "stayed-within")],
}
# Every way a line of the log may lead, and no other: (from, to, why).
LEGAL = {
    *((before, row[1], row[2]) for (before, _), rows in TABLE.items() for row in rows if row[1]),
    *((before, "learning", "learning") for before in ("ok", "resolved", "pending", "no-data")),
    *((before, "no-data", "no-number") for before in ("ok", "resolved", "pending", "learning")),
    *((before, "resolved", reason) for before in OPEN for reason in ("closed", "rule-gone")),
    *((before, "ok", "rule-gone") for before in ("ok", "resolved", "pending", "no-data", "learning")),
    *((before, before, reason) for before in OPEN for reason in ("acknowledged", "taken-back", "assigned", "snoozed")),
    *((before, before, "noted") for before in (
        "ok", "resolved", "pending", "no-data", "learning", *OPEN)),
}


@dataclass
class Ought:
    """One alert as it ought to be."""

    state: str = "ok"
    since: int = 0
    no_number_since: int | None = None
    is_held: bool = False
    runs: int = 0
    seen_by: str = ""
    given_to: str = ""
    quiet_until: int = 0
    code: str | None = None
    path: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether somebody may have to do something."""
        return self.state in OPEN

    def look(self, found: str, now: int, lasts: int, keeps: int) -> None:
        """A rule looked at its number."""
        if found in ("unknown", "learning"):
            self._no_number(found, now)
            return
        self.no_number_since = None
        for needs, state, reason in TABLE.get((self.state, found), []):
            if self._holds(needs, now, lasts, keeps):
                if state:
                    self._go(state, reason, now)
                return

    def act(self, what: str, by: str, now: int, more: object = None) -> bool:
        """Somebody does something about it; whether it was done."""
        may = {"acknowledge": self.is_open and not self.seen_by, "take-back": self.is_open and bool(self.seen_by),
               "assign": self.is_open and self.given_to != more, "snooze": self.is_open and _after(more, now),
               "close": self.is_open, "note": self.runs > 0}[what]
        if not may:
            return False
        match what:
            case "acknowledge":
                self.seen_by = by
            case "take-back":
                self.seen_by = ""
            case "assign":
                self.given_to = str(more)
            case "snooze":
                assert isinstance(more, int)
                self.quiet_until = more
            case "close":
                self.is_held, self.code = self.state == "firing", str(more)
                self._go("resolved", "closed", now)
                return True
        self.path.append((self.state, self.state, REASON[what]))
        return True

    def rule_goes(self, now: int) -> None:
        """Its rule is gone or switched off."""
        if self.is_open:
            self._go("resolved", "rule-gone", now)
        elif self.state in ("pending", "no-data", "learning") or self.is_held:
            self._go("ok", "rule-gone", now)
        self.is_held = False

    def _no_number(self, found: str, now: int) -> None:
        if self.is_open or self.state == ("learning" if found == "learning" else "no-data"):
            return
        if found == "learning":
            self._go("learning", "learning", now)
        elif self.no_number_since is None:
            self.no_number_since = now
        elif now - self.no_number_since >= BEFORE_NO_DATA:
            self._go("no-data", "no-number", now)

    def _holds(self, needs: str, now: int, lasts: int, keeps: int) -> bool:
        gone = now - self.since
        return all({"": True, "held": self.is_held, "at once": lasts == 0, "no-data": self.state == "no-data",
                    "learning": self.state == "learning",
                    "lasted": gone >= (lasts if self.state == "pending" else keeps)}[need]
                   for need in needs.split(", "))

    def _go(self, state: str, reason: str, now: int) -> None:
        self.path.append((self.state, state, reason))
        if state == "firing" and self.state != "recovering":
            self.runs += 1
            self.seen_by = self.given_to = ""
            self.quiet_until, self.code, self.is_held = 0, None, False
        if (self.state, state) in (("ok", "ok"), ("resolved", "ok")):
            self.is_held = False
        self.state, self.since = state, now


def _after(instant: object, now: int) -> bool:
    return isinstance(instant, int) and instant > now


REASON = {"acknowledge": "acknowledged", "take-back": "taken-back", "assign": "assigned", "snooze": "snoozed",
          "note": "noted", "close": "closed"}
