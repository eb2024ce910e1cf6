"""What templates receive: frozen values, already worded for the reader. Templates format nothing."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

DataState = Literal["live", "empty", "catching-up", "error"]
Direction = Literal["good", "bad", "same", "none"]
Trend = Literal["up", "down", "same"]


def shown(help_text: str, **options: Any) -> Any:
    """A field with the sentence that says what a template may do with it."""
    return field(metadata={"help": help_text}, **options)


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A number beside the same stretch of time a week ago."""

    text: str = shown("'Last Friday by 14:02: 12', or why there is no comparison yet")
    change: str = shown("'12%', or that it is the same; empty when there is nothing to compare with")
    direction: Direction = shown("whether the change is good, bad, none at all, or unknown ('none')")
    against: str = shown("'more than last Friday by 14:02': goes after `change`, as one sentence", default="")
    trend: Trend = shown("which way it went, for the arrow", default="same")


@dataclass(frozen=True, slots=True)
class SparkView:
    """A sparkline: the points of the recent past, zero-based, the last one still moving."""

    points: str = shown("SVG polyline points of what is over, in a box of `width` by 100, y downwards")
    area: str = shown("the same closed to the base line, for a soft fill")
    width: int = shown("width of the box in SVG units: points - 1, times 10")
    moving: str = shown("the last step, to the minute that is not over: drawn as not whole")
    last_x: str = shown("x of the last point, to be marked")
    last_y: str = shown("y of the last point")
    sentence: str = shown("the finding in words, for screen readers and as the caption")
    rows: tuple[tuple[str, str], ...] = shown("(label, value) of every point, for the table")


@dataclass(frozen=True, slots=True)
class BarView:
    """One bar of a bar chart, in a box 100 high."""

    x: str = shown("left edge in SVG units")
    y: str = shown("top edge in SVG units, downwards")
    width: str = shown("width in SVG units")
    label: str = shown("axis label under the bar, '' for most of them")
    name: str = shown("what the bar stands for, e.g. 'Fri 13:00'")
    text: str = shown("its value in words")
    state: Literal["complete", "live", "absent"] = shown(
        "'live' for the hour that is still running, 'absent' for one before counting began: no bar, not even of nought")
    ghost_y: str | None = shown("y of the value it is compared with as a short line, None when unknown")
    expected_y: str | None = shown("live bar only: top of the outline expected for the full hour")
    expected_height: str | None = shown("height of that outline")
    delta: str = shown("path of the mark that says late events changed it after its end, '' when none did", default="")


@dataclass(frozen=True, slots=True)
class GridLineView:
    """A horizontal grid line with its value."""

    y: str = shown("y in SVG units")
    text: str = shown("the value it stands for")


@dataclass(frozen=True, slots=True)
class BarsView:
    """24 hours of a count, the last one live."""

    width: int = shown("width of the box in SVG units; it is 100 high")
    bars: tuple[BarView, ...] = shown("oldest first")
    grid: tuple[GridLineView, ...] = shown("up to 4 grid lines")
    sentence: str = shown("the finding in words: '19 so far, on course for 45'")
    more: str = shown("what else is to be known where there is room: since when it was counted, what the marks are",
                      default="")
    begins_x: str = shown("where the hours that were counted begin: before it the base line is dashed", default="0")

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """(hour, value) of every bar, for the table."""
        return tuple((bar.name, bar.text) for bar in self.bars)


@dataclass(frozen=True, slots=True)
class KpiView:
    """One KPI as a tile shows it: a number, with what it is compared to and its recent past."""

    kind: ClassVar[str] = "number"

    id: str = shown("the KPI's id; the tile's element is kpi-<id>")
    label: str = shown("what is counted, in the team's words")
    text: str = shown("the number, formatted for the site's locale")
    chars: int = shown("room `text` takes in digits, so that CSS can choose a size that never clips (1 to 20)")
    value: str = shown("the plain number for machines")
    state: DataState = shown("empty: nothing counted yet; catching-up: events wait; error: not computed")
    note: str = shown("a line under the number, '' if none: last minute, other currencies")
    definition: str = shown("what counts and what does not, with window and zone")
    comparison: ComparisonView | None = shown("beside the same stretch last week")
    spark: SparkView | None = shown("recent past as a line")
    bars: BarsView | None = shown("recent hours as bars")
    sums: str = shown("what a total of the day adds up: 'count' or a currency; '' for what is no total", default="")
    from_ms: int = shown("when the day of a total began, epoch ms", default=0)
    mark: Literal["", "warn", "crit"] = shown("how far the number is beyond a limit of its place", default="")
    mark_text: str = shown("the same in words: 'over 1,000', '' while it is not", default="")


@dataclass(frozen=True, slots=True)
class RateView(KpiView):
    """How many come in a stretch of time: the number with its unit, and the rate of the last hour to judge it by. It is
    laid out as a number is."""

    kind: ClassVar[str] = "rate"

    per: str = shown("its unit, beside the number: '/ min'", default="")


@dataclass(frozen=True, slots=True)
class SourceView:
    """How long a source has been quiet, and whether that is usual."""

    name: str = shown("'Shopify'")
    last_ms: int | None = shown("arrival of the newest event, epoch ms; None: never heard")
    silent: bool = shown("whether it has been quiet for longer than is usual")
    text: str = shown("'No Shopify event since 13:02 (usually every 6 min)', '' when all is well")


@dataclass(frozen=True, slots=True)
class HealthView:
    """The second and third age: how far the workers are behind, and how quiet the sources are."""

    state: Literal["ok", "late", "stopped", "store-down"] = shown("worst of what follows")
    text: str = shown("'Catching up, 1,240 events behind', '' when all is well")
    processed_ms: int | None = shown("arrival of the newest event that has been counted, epoch ms")
    latency: str = shown("'order to screen 12 ms', '' until measured")
    sources: tuple[SourceView, ...] = shown("every source that was heard or is set up")


@dataclass(frozen=True, slots=True)
class SetupView:
    """What to do while there is nothing to show."""

    needed: bool = shown("True while no order has ever arrived")
    webhook_url: str = shown("where Shopify should send its webhooks")
    command: str = shown("the one command that sends a test order")
    secret: str = shown("what to do about the signing secret first, '' when one is set")
    progress: str = shown("'Filling in 8 weeks: 61 %' while a demo or a back-fill runs, else ''")


@dataclass(frozen=True, slots=True)
class LinkView:
    """A board to choose."""

    url: str = shown("its address: '/b/sales'")
    title: str = shown("'Sales'")
    is_here: bool = shown("whether it is the one that is shown")


@dataclass(frozen=True, slots=True)
class CellView:
    """A place on a board and what stands there."""

    size: Literal["small", "normal", "hero", "wide"] = shown("how large the place is")
    tile: Any = shown("the tile's view: a tile_views.TileView or a part_shapes.AnyPart")
    columns: int = shown("how many of 24 columns of a wall; 0: as its size has it", default=0)
    slot_id: str = shown("id of its element; '' for the plain slot of the tile's KPI", default="")
    is_whole: bool = shown("whether it is not narrowed on a page that is", default=False)
    is_still: bool = shown("whether nothing is read for it, so that it has no age", default=False)


@dataclass(frozen=True, slots=True)
class RowView:
    """Cells that change equally often."""

    cadence: Literal["live", "near", "batch"] = shown("how often")
    every: str = shown("the same in words: 'every 30 s', '' for what is live")
    short: str = shown("the same where there is little room: '30 s'")
    cells: tuple[CellView, ...] = shown("in order")


@dataclass(frozen=True, slots=True)
class WallPageView:
    """What is on a wall at one time."""

    title: str = shown("of its board")
    name: str = shown("id of the board whose own drawing it has, '' where places are reckoned")
    is_of_orders: bool = shown("whether set-up stands in its place before the first order")
    rows: tuple[RowView, ...] = shown("cells in order, a row for each stretch of the same cadence")


@dataclass(frozen=True, slots=True)
class WallView:
    """How a wall is shown."""

    letters: int = shown("font size of the smallest letters, tenths of a % of the height")
    fit: Literal["many", "some", "few"] = shown("how many tiles there is room for")
    turn_s: int = shown("seconds each page stays")
    night: str = shown("'22:00-06:00', when it is dimmed in the site's zone; '' never")
    notes: tuple[str, ...] = shown("sentences about what was asked and could not be had")
    pages: tuple[WallPageView, ...] = shown("in turn; the first is shown before scripts run")
    screen: str = shown("the name of the paired screen that shows it, '' for a person's browser", default="")


@dataclass(frozen=True, slots=True)
class PageView:
    """The shell around the slots."""

    title: str = shown("title of the page")
    board: Literal["board", "wall"] = shown("which layout")
    theme: Literal["auto", "dark", "light"] = shown("chosen theme")
    locale: str = shown("BCP 47 tag of the site's locale, for numbers and dates that scripts write")
    zone: str = shown("IANA zone of the site; ages and clocks are drawn in it")
    heartbeat_s: int = shown("seconds between heartbeats on the stream")
    revision: str = shown("boot.revision of this rendering; the stream resumes from it")
    build: str = shown("hash of templates and static files; in every static URL")
    live_url: str = shown("address of the stream for this page")
    now_ms: int = shown("server's time of rendering, epoch ms")
    name: str = shown("id of the board, '' on other pages", default="")
    shape: str = shown("which version of its boards it shows, '' on other pages", default="")
    paper: str = shown("what stands under the title on paper: when it was made, the zone, the address", default="")
    links: tuple[LinkView, ...] = shown("the boards to choose between, () where there is no choice", default=())
    language: str = shown("the catalogue its words are in: 'de'; 'en' needs none", default="en")
    spoken: str = shown("BCP 47 tag of the words: 'de-AT'", default="en")
    direction: Literal["ltr", "rtl"] = shown("which way lines run", default="ltr")
    who: str = shown("name of the person who signed in, '' while nobody has", default="")
    clock: str = shown("'h12' for who likes it so, '' for the usual 24 hours", default="")
    may: frozenset[str] = shown("the audiences they belong to: no way leads to a page that turns them away",
                                default=frozenset({"readers", "floor", "managers", "admins"}))


@dataclass(frozen=True, slots=True)
class StatusSourceView:
    """What one source has sent since midnight, and what became of it."""

    name: str = shown("'Shopify'")
    state: Literal["never", "well", "silent", "refusing", "stopped"] = shown("how it is doing")
    word: str = shown("the same in a word or two: 'Silent since 13:02'")
    last_ms: int | None = shown("arrival of the newest event, epoch ms; None: never heard")
    in_5_minutes: str = shown("how many came in within 5 minutes")
    in_an_hour: str = shown("how many came in within the last 60 minutes")
    lag: str = shown("mean lag of the last 60 minutes, '–' while nothing came in them")
    out_of_order: str = shown("versions older than the one that was known")
    late: str = shown("events that arrived over an hour after they happened")
    more: tuple[str, ...] = shown("sentences about polls, spool and gaps filled, () when there is nothing to say")
    accepted: str = shown("deliveries that became events, formatted")
    duplicates: str = shown("deliveries that were already known")
    unused: str = shown("deliveries whose topic no KPI uses")
    refused: str = shown("deliveries that were not taken, for whatever reason")
    refused_cause: str = shown("likely cause and what to do about it, '' when nothing was refused")
    dead_letters: str = shown("events that could not be counted")


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Deliveries that were refused for one reason."""

    reason: str = shown("the reason as it is counted: 'bad_signature'")
    count: str = shown("how many, formatted")
    cause: str = shown("the likely cause and what to do about it, '' where the reason is not known")


@dataclass(frozen=True, slots=True)
class PollView:
    """What a source says when it is asked, beside what it sends by itself."""

    last_ms: int | None = shown("when it was last asked, epoch ms; None: not yet")
    next_ms: int | None = shown("when it is asked again, epoch ms; None: not known")
    text: str = shown("'12 found, 1 of them new'")
    error: str = shown("what went wrong, '' when nothing did")


@dataclass(frozen=True, slots=True)
class TrialView:
    """What became of a test event; shown for a minute."""

    went_well: bool = shown("whether it arrived")
    at_ms: int = shown("when it was sent, epoch ms")
    text: str = shown("'Arrived and counted in 38 ms.', or why not")


@dataclass(frozen=True, slots=True)
class StepPartView:
    """A piece of a set-up step."""

    text: str = shown("words, or what is to be copied")
    copied: bool = shown("whether it is to be copied")


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a set-up."""

    parts: tuple[StepPartView, ...] = shown("words and what is to be copied, in turn")


@dataclass(frozen=True, slots=True)
class SourceCardView:
    """One source on the page of the sources; the card's element is source-<name>."""

    name: str = shown("the source's name, as in its address: 'shopify'")
    title: str = shown("'Shopify'")
    kind: str = shown("what kind of source it is, '' where the title says it")
    known: bool = shown("False for a door nothing ever came by: its place stays hidden")
    state: Literal["never", "well", "silent", "refusing", "stopped"] = shown("how it is doing")
    word: str = shown("the same in a word or two: 'Well', 'Never heard', 'Silent since 13:02'")
    sentence: str = shown("what that means and what to do, '' when all is well")
    last_ms: int | None = shown("arrival of the newest delivery, epoch ms; None: never heard")
    last: str = shown("the same as the site's clock read: 'Fri 14:03', '' while never heard")
    in_5_minutes: str = shown("how many came in within 5 minutes")
    in_an_hour: str = shown("how many came in within the last 60 minutes")
    lag: str = shown("'0.8 sec', the mean of the last 60 minutes; '–' while nothing came in them")
    usual: str = shown("the longest gap that is usual at this hour: '6 min', '' while it is not known")
    counts: tuple[tuple[str, str], ...] = shown("(what, how many) since counting began; () while there is nothing")
    dead: str = shown("deliveries that could not be used, '' when there are none")
    refusals: tuple[RefusalView, ...] = shown("what was refused and why, most frequent first")
    refused: str = shown("all of them together, formatted")
    poll: PollView | None = shown("what asking it brings, None where it is not asked")
    spool: str = shown("what waits on this machine's disk for the store, '' when nothing does")
    url: str = shown("where the source sends its deliveries, '' where it has no address or the steps name it")
    hint: str = shown("what is to be done before that address can be used, '' when nothing")
    steps: tuple[StepView, ...] = shown("set-up, step by step")
    is_open: bool = shown("whether set-up is unfolded at first: nothing has come yet")
    way: str = shown("which way a test event takes, '' when none can be sent")
    trial: TrialView | None = shown("the last test event, None when there was none within a minute")


@dataclass(frozen=True, slots=True)
class SourcesView:
    """All sources in one sentence."""

    state: Literal["ok", "late", "stopped"] = shown("worst of them")
    text: str = shown("'3 of 4 sources are well. woo: refusing everything'")


@dataclass(frozen=True, slots=True)
class KindView:
    """A kind of source that is not connected yet, and how it is."""

    kind: str = shown("as opsmon.toml names it: 'woocommerce'")
    title: str = shown("'WooCommerce'")
    steps: tuple[StepView, ...] = shown("set-up, step by step")


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """One event that could not be counted."""

    at_ms: int = shown("when it was given up, epoch ms")
    source: str = shown("'Shopify'")
    reason: str = shown("why, in a sentence")


@dataclass(frozen=True, slots=True)
class StoreView:
    """The store behind the numbers."""

    name: str = shown("name and version: 'Valkey 9.1.2'")
    memory: str = shown("used of the bound: '84 MB of 512 MB'")
    memory_warning: str = shown("what to do when it is nearly full, else ''")
    appendfsync: str = shown("the store's setting: 'everysec'")
    fsync: str = shown("median time of one fsync: '1.8 ms'")
    fsync_warning: str = shown("what a slow disk means for the boards, else ''")


@dataclass(frozen=True, slots=True)
class MemoryRowView:
    """One kind of what is kept: how much of it there is, what it costs, and what bounds it."""

    name: str = shown("what is kept: 'Minutes', 'Orders and customers'")
    keys: str = shown("how many keys it takes: '1,204'")
    size: str = shown("what they cost: '3.1 MB'")
    bound: str = shown("the setting that says how long: 'OPSMON_KEEP_MINUTES', '' where none does")


@dataclass(frozen=True, slots=True)
class StatusView:
    """Everything the status page says, worded when the page is made."""

    state: Literal["ok", "late", "stopped", "store-down"] = shown("worst of what follows")
    text: str = shown("one sentence for the whole: 'Everything is counted and live'")
    at: str = shown("wall clock of the site when the page was made: '14:03:22'")
    sources: tuple[StatusSourceView, ...] = shown("every source that was heard or is set up")
    lag: str = shown("events that wait to be counted")
    pending: str = shown("events a worker has taken and not finished")
    dead_letters: tuple[DeadLetterView, ...] = shown("the last 5, newest first")
    store: StoreView | None = shown("None while the store cannot be reached")
    memory: tuple[MemoryRowView, ...] = shown("what the memory is spent on, dearest first; () until measured")
    full: tuple[str, ...] = shown("a sentence for each dimension that has reached its cap")
    latency: str = shown("from ingest to the screen: 'median 12 ms, p99 41 ms', '' until measured")
    versions: tuple[tuple[str, str], ...] = shown("(program, version) pairs")
    stopped: tuple[str, ...] = shown("a sentence for each source that has too many dead letters", default=())
    to_do: tuple[str, ...] = shown("a sentence for each thing that waits for a person", default=())


@dataclass(frozen=True, slots=True)
class ErrorView:
    """A page that could not be shown."""

    code: str = shown("HTTP status: '404'")
    title: str = shown("what happened, in a few words")
    sentence: str = shown("what the reader can do next")
    links: tuple[tuple[str, str], ...] = shown("(name, address) of what may have been meant", default=())
