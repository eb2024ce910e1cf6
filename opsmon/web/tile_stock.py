"""Stock -> a list without gauges: what is out, what lasts how many days, what nobody bought lately."""

from opsmon.core.goods import LEAST_DAYS, Stock, Supply
from opsmon.core.readings import Row
from opsmon.web.tile_rows import MOST_ROWS, last_view
from opsmon.web.tile_shapes import LastView, RowView
from opsmon.web.tile_shown import Shown

_A_YEAR = 365
# So many places have names, more have a number.
_MOST_PLACES = 2


def stock_view(shown: Shown) -> LastView:
    """Ten SKUs: those that are marked, then what is out or lasts shortest; as they stand, the lowest first, where no
    pace is known yet."""
    found = shown.reading.stock
    if found is None:
        return last_view(shown)
    supplies = sorted(found.supplies, key=lambda one: not _warning(shown, one))
    if not found.days:
        supplies.sort(key=lambda one: (not _warning(shown, one), one.available, one.name or one.sku))
    drawn = [_row(shown, one, found.days) for one in supplies[:MOST_ROWS]]
    if found.beyond and len(drawn) < MOST_ROWS:
        drawn.append(RowView(shown.wording.say("Other"), shown.text(found.beyond), is_other=True))
    said = shown.wording.say("First: %(name)s, %(value)s", name=drawn[0].name, value=drawn[0].text) if drawn else ""
    note = ", ".join(filter(None, (_order(shown, found), _left_out(shown, len(supplies)), _untold(shown, found))))
    return LastView(*shown.head(note, said, is_empty=not drawn), rows=tuple(drawn))


def _row(shown: Shown, supply: Supply, days: int) -> RowView:
    left = _state(shown, supply, days)
    pieces = shown.wording.many("%(num)s piece", "%(num)s pieces", supply.available)
    under = (pieces if left else "", supply.sku if supply.name else "", _places(shown, supply))
    return RowView(supply.name or supply.sku or shown.wording.say("Not told"), left or pieces,
                   warning=_warning(shown, supply), under=", ".join(filter(None, under)))


def _state(shown: Shown, supply: Supply, days: int) -> str:
    """'out', '3 days left', 'not sold lately'; '' while no pace is known."""
    say = shown.wording.say
    if supply.available <= 0:
        return say("out")
    if not days:
        return ""
    left = supply.days_left(days)
    if left is None:
        return say("sales not known") if supply.sold is None else say("not sold lately")
    if left >= _A_YEAR:
        return say("over a year left")
    return shown.wording.many("%(num)s day left", "%(num)s days left", left) if left else say("under a day left")


def _places(shown: Shown, supply: Supply) -> str:
    if len(supply.places) > _MOST_PLACES:
        return shown.wording.many("%(num)s location", "%(num)s locations", len(supply.places))
    return " + ".join(supply.places)


def _warning(shown: Shown, supply: Supply) -> str:
    return shown.warning(Row(supply.sku, supply.available))


def _order(shown: Shown, found: Stock) -> str:
    """How the list is sorted, and what the days are of."""
    words = shown.wording
    if found.days:
        return words.say("shortest first, by sales of the last %(days)s days", days=words.number(found.days))
    if not found.is_whole:
        return words.say("lowest first; how long it lasts is known of all locations together")
    return words.say("lowest first; how long it lasts is known after %(days)s whole days of sales",
                     days=words.number(LEAST_DAYS))


def _left_out(shown: Shown, count: int) -> str:
    if count <= MOST_ROWS:
        return ""
    return shown.wording.say("%(some)s of %(all)s", some=shown.wording.number(MOST_ROWS),
                             all=shown.wording.number(count))


def _untold(shown: Shown, found: Stock) -> str:
    return shown.wording.say("%(value)s sold are not told apart by SKU",
                             value=shown.wording.number(found.untold)) if found.untold else ""
