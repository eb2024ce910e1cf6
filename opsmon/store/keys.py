"""Every key, its type, its time to live and who writes it, on one screen.

All keys of a site carry the same hash tag, `{site}`, so that they lie in one slot of a Cluster and one
script can do a whole commit.
"""

from dataclasses import dataclass
from typing import Literal

from opsmon.core.panes import Hash


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: its shape, what it is, how long it lives, who writes it."""

    shape: str
    type: Literal["stream", "hash", "string", "set", "zset"]
    lives: str
    owner: str
    holds: str


KINDS = (
    KeyKind("{site}:events", "stream", "permanent; trimmed below every group's need", "append_events",
            "accepted events, in order of arrival"),
    KeyKind("{site}:visits", "stream", "permanent; trimmed below every group's need", "append_events",
            "what the shop's pages sent, apart from the events, in order of arrival"),
    KeyKind("{site}:changes", "stream", "permanent; the newest 4,096", "commit, tick",
            "which KPIs moved; entry ids are the site's revisions"),
    KeyKind("{site}:dead", "stream", "permanent; 30 days or 32 MB", "append_events, commit",
            "deliveries and entries that could not be used, with the reason"),
    KeyKind("{site}:journal", "stream", "permanent; the newest 1,000", "settle_dead",
            "what was done with dead letters, by whom, with how many"),
    KeyKind("{site}:meta", "hash", "permanent", "commit, worker",
            "schema, generation, calendar, currency, earliest instant counted, first commit, last tick, what shops "
            "say of themselves"),
    KeyKind("{site}:counts", "hash", "permanent", "append_events, commit, settle_dead, trim_dead, web",
            "running totals by source: accepted, duplicate, not_used, refused, late …; dead letters held, their bytes"),
    KeyKind("{site}:seen:<source>:<shop>:<id>", "string", "7 days; of a page's event 10 minutes", "append_events",
            "a delivery that was taken: its identity"),
    KeyKind("{site}:entity:<entity>", "string", "400 days after the last change; settable", "commit",
            "what is remembered of an order, a refund, a customer, a visitor …"),
    KeyKind("{site}:pane:<generation>:<rollup>:m:<start>", "hash", "8 days and a margin; settable", "commit",
            "minute panes of an hour; of a rollup with rows, of five minutes"),
    KeyKind("{site}:pane:<generation>:<rollup>:h:<day or hour>", "hash", "400 days and a margin; settable",
            "commit", "hour panes of a day; of a rollup with rows, the rows of an hour"),
    KeyKind("{site}:pane:<generation>:<rollup>:d:<month or day>", "hash", "permanent; settable", "commit",
            "day panes of a month; of a rollup with rows, the rows of a day"),
    KeyKind("{site}:pane:<generation>:<rollup>:n:", "hash", "permanent", "commit",
            "what holds now: stock, stages, gauges"),
    KeyKind("{site}:unique:<generation>:<rollup>:h:<hour>", "string", "8 days and a margin", "commit",
            "a HyperLogLog of who was seen in an hour"),
    KeyKind("{site}:unique:<generation>:<rollup>:d:<day>", "string", "permanent; settable", "commit",
            "a HyperLogLog of who was seen on a day"),
    KeyKind("{site}:top:<generation>:<rollup>:h:<hour and currency>", "zset", "400 days and a margin; settable",
            "commit", "members by their sums of an hour, at most 2,000 and the rest"),
    KeyKind("{site}:top:<generation>:<rollup>:d:<day and currency>", "zset", "permanent; settable", "commit",
            "members by their sums of a day, at most 2,000 and the rest"),
    KeyKind("{site}:open:<generation>:<rollup>", "zset", "permanent; visits go an hour after their end",
            "commit, janitor", "what is open: orders since when, visits until when"),
    KeyKind("{site}:rows:<generation>:<rollup>:<month>", "set", "permanent", "commit",
            "rows of a dimension that are told apart; the others are `other`"),
    KeyKind("{site}:corrected:<rollup>", "zset", "31 days after the last of them", "commit",
            "closed hours that late events changed, at most 800: their starts, by when that was last"),
    KeyKind("{site}:cursors", "hash", "permanent", "pollers",
            "how far each poller has come: what it asks from next time"),
    KeyKind("{site}:turn:<poller>", "string", "1 minute", "turn",
            "whose turn it is to poll, so that two machines do not ask twice"),
    KeyKind("{site}:erasing", "hash", "permanent; a request 90 days after it was done", "commit, privacy",
            "who asked to be shown or forgotten, until it is done; then that it was"),
    KeyKind("{site}:erased", "stream", "permanent; trimmed as the events are", "erase_entries",
            "what stays of counted events that named a customer who is forgotten: that they came"),
    KeyKind("{site}:people", "hash", "permanent", "people", "who has an account: id, name, role, hash of the password"),
    KeyKind("{site}:session:<hash>", "string", "12 hours after its last use; settable", "sessions",
            "somebody signed in: who, since when, from where"),
    KeyKind("{site}:sessions", "zset", "permanent; each until its session ends", "sessions",
            "which sessions there are: person and hash, by their end"),
    KeyKind("{site}:used", "zset", "permanent; each 400 days", "uses",
            "when people, sessions and tokens were last used, to the minute"),
    KeyKind("{site}:invite:<hash>", "string", "7 days; a reset 1 hour", "people",
            "a link that lets somebody choose a password, once"),
    KeyKind("{site}:screens", "hash", "permanent", "screens", "paired walls: id, name, board, what each may see"),
    KeyKind("{site}:screen:<hash>", "string", "400 days after it was made, a week of them in use", "screens",
            "which screen a token was given to"),
    KeyKind("{site}:screens-seen", "hash", "permanent; each until its screen is removed", "screens",
            "when each screen last answered, to the minute"),
    KeyKind("{site}:pairing:<code>", "string", "10 minutes", "screens", "a wall that waits to be let in"),
    KeyKind("{site}:tokens", "hash", "permanent", "tokens", "programs that may ask: hash, name, scopes, end"),
    KeyKind("{site}:tries:<what>", "hash", "2 hours at the longest", "take_try",
            "how often something guarded was tried lately"),
    KeyKind("{site}:refused-logins", "zset", "1 day after the last; the newest 1,000", "refused_logins",
            "when somebody could not sign in"),
    KeyKind("{site}:audit", "stream", "permanent; the newest 100,000", "audit",
            "who did what, when, from where, and what it was before and after"),
    KeyKind("{site}:boards", "hash", "permanent", "save_board",
            "boards as they were saved last: the id, and the record with its version"),
    KeyKind("{site}:board:<id>", "hash", "permanent; the newest 20", "save_board",
            "the versions of a board, for undo, and the number of the last"),
    KeyKind("{site}:rules", "hash", "permanent", "rules",
            "when somebody is to be told: rules that were made or changed"),
    KeyKind("{site}:silences", "hash", "permanent; each until a day after its end", "rules, evaluator",
            "what is not to be told for a while: by whom, why, until when"),
    KeyKind("{site}:special-days", "hash", "permanent", "calendar_page",
            "campaigns and holidays that people marked: from when until when, by whom"),
    KeyKind("{site}:alerted", "zset", "permanent; each 9 weeks", "evaluator",
            "hours in which something was wrong, by what facts: nothing is learned of them"),
    KeyKind("{site}:alerts", "hash", "permanent", "move_alert",
            "each alert as it is: state, value, who sees to it, what was said"),
    KeyKind("{site}:alert-log", "stream", "permanent; 35 days or 20,000 lines, older in files by month",
            "move_alert", "what became of alerts, line by line: state, reason, by whom"),
    KeyKind("{site}:notices", "stream", "permanent; the newest 10,000", "move_alert",
            "what is to be delivered to whom, in order"),
    KeyKind("{site}:notices-dead", "stream", "permanent; the newest 1,000", "notifier",
            "what could not be delivered for good, and why; it can be sent again"),
    KeyKind("{site}:deliveries", "stream", "permanent; the newest 10,000", "notifier",
            "every try at telling somebody: when, whom, what became of it"),
    KeyKind("{site}:standing", "hash", "permanent", "notifier",
            "how each receiver does: when something, and when a test, came through last, since when it fails"),
    KeyKind("{site}:bundles", "hash", "permanent; each until it is delivered", "notifier",
            "which notices were begun to be sent as one message: entry and the message's key"),
    KeyKind("{site}:told:<key>", "string", "7 days", "notifier", "a notice that was delivered: its key, or its run"),
    KeyKind("{site}:receivers", "hash", "permanent", "rules", "who can be told, and how: their addresses"),
    KeyKind("{site}:routes", "hash", "permanent", "rules", "by severity, who is told when, and in which hours"),
    KeyKind("{site}:restored:<name>", "string", "1 hour; renamed when all is restored", "restoring",
            "a stream or a hash of a backup, until it takes the place of the site's"),
    KeyKind("{site}:note:<name>", "hash", "1 minute to 30 days", "worker, demo, pollers, importing, web",
            "what a process tells the others: that it lives, how far a fill-in or an import has come"),
)

SEEN_KEPT_MS = 7 * 86_400_000
# So many dead letters of one source, or bytes of them, and its next one is not taken: append_events.lua.
MOST_HELD = 10_000
MOST_HELD_BYTES = 16 * 1024 * 1024
# A page sends an event again at once or never, and anybody can send as many as are let in.
VISITS_SEEN_KEPT_MS = 600_000


class Keys:
    """The keys of one site."""

    def __init__(self, site: str) -> None:
        self.tag = "{" + site + "}"
        self.events = f"{self.tag}:events"
        self.visits = f"{self.tag}:visits"
        self.changes = f"{self.tag}:changes"
        self.dead = f"{self.tag}:dead"
        self.journal = f"{self.tag}:journal"
        self.meta = f"{self.tag}:meta"
        self.counts = f"{self.tag}:counts"
        self.cursors = f"{self.tag}:cursors"
        self.erasing = f"{self.tag}:erasing"
        self.erased = f"{self.tag}:erased"
        self.people = f"{self.tag}:people"
        self.sessions = f"{self.tag}:sessions"
        self.used = f"{self.tag}:used"
        self.screens = f"{self.tag}:screens"
        self.screens_seen = f"{self.tag}:screens-seen"
        self.tokens = f"{self.tag}:tokens"
        self.audit = f"{self.tag}:audit"
        self.refused_logins = f"{self.tag}:refused-logins"
        self.boards = f"{self.tag}:boards"
        self.rules = f"{self.tag}:rules"
        self.silences = f"{self.tag}:silences"
        self.special_days = f"{self.tag}:special-days"
        self.alerted = f"{self.tag}:alerted"
        self.alerts = f"{self.tag}:alerts"
        self.alert_log = f"{self.tag}:alert-log"
        self.notices = f"{self.tag}:notices"
        self.receivers = f"{self.tag}:receivers"
        self.routes = f"{self.tag}:routes"
        self.notices_dead = f"{self.tag}:notices-dead"
        self.deliveries = f"{self.tag}:deliveries"
        self.standing = f"{self.tag}:standing"
        self.bundles = f"{self.tag}:bundles"

    @property
    def streams(self) -> tuple[str, str]:
        """The streams that workers count, in the order they are worked: what sources send, what pages send."""
        return self.events, self.visits

    def seen(self, identity: str) -> str:
        """Where it is marked that a delivery was taken."""
        return f"{self.tag}:seen:{identity}"

    def replayed(self, identity: str) -> str:
        """Where it is marked that an event was taken from a dead letter."""
        return self.seen(f"replayed:{identity}")

    def entity(self, entity: str) -> str:
        """Where it is kept what is remembered of an entity."""
        return f"{self.tag}:entity:{entity}"

    def panes(self, generation: int, panes: Hash, kind: str = "pane") -> str:
        """Where panes are kept. A generation is one way of counting: a calendar and a catalogue."""
        return f"{self.tag}:{kind}:{generation}:{panes.rollup}:{panes.level}:{panes.span}"

    def open(self, generation: int, rollup: str) -> str:
        """Where it is kept what is open."""
        return f"{self.tag}:open:{generation}:{rollup}"

    def rows(self, generation: int, rollup: str, span: str) -> str:
        """Where the rows are kept that a dimension tells apart."""
        return f"{self.tag}:rows:{generation}:{rollup}:{span}"

    def board(self, board_id: str) -> str:
        """Where the versions of a board are kept."""
        return f"{self.tag}:board:{board_id}"

    def corrected(self, rollup: str) -> str:
        """Where it is kept which closed hours of a rollup were corrected. They were, whatever the generation."""
        return f"{self.tag}:corrected:{rollup}"

    def turn(self, poller: str) -> str:
        """Where it is kept whose turn it is to poll."""
        return f"{self.tag}:turn:{poller}"

    def session(self, digest: str) -> str:
        """Where it is kept who signed in with a secret."""
        return f"{self.tag}:session:{digest}"

    def invite(self, digest: str) -> str:
        """Where it is kept whom a one-time link is for."""
        return f"{self.tag}:invite:{digest}"

    def screen(self, digest: str) -> str:
        """Where it is kept which screen a token belongs to."""
        return f"{self.tag}:screen:{digest}"

    def pairing(self, code: str) -> str:
        """Where it is kept which wall shows a code."""
        return f"{self.tag}:pairing:{code}"

    def tries(self, what: str) -> str:
        """Where it is counted how often something was tried."""
        return f"{self.tag}:tries:{what}"

    def told(self, key: str) -> str:
        """Where it is marked that a notice was delivered, or that a receiver heard of a run."""
        return f"{self.tag}:told:{key}"

    def restored(self, key: str) -> str:
        """Where a key of a backup waits until it takes the place of the site's."""
        return f"{self.tag}:restored:{key.removeprefix(self.tag + ':')}"

    def note(self, name: str) -> str:
        """Where a process leaves word for the others."""
        return f"{self.tag}:note:{name}"
