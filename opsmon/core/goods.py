"""What is known of goods when a number is read: which SKU and name an item has, which tags, how fast it sells.

Products are told by their shops, version by version, and the newest holds. They are looked up at the reading and never
while counting: the same events make the same counts in any order, and a product that is renamed or tagged anew is
shown so at once, also for what was sold before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from opsmon.core.calendar import SiteCalendar
from opsmon.core.catalogue import GOODS, SOLD, TAG, TAGS, Catalogue, Kpi, Rollup
from opsmon.core.measures import label
from opsmon.core.panes import OTHER
from opsmon.core.requests import Answers, Request, Totals, fold_now, hashes_of, now_hash

# What a KPI shows that is stock beside what is sold in a day.
DAYS_LEFT = "days-left"
# Two whole weeks: each weekday counts twice. Fewer than three days say nothing of a pace.
PACE_DAYS = 14
LEAST_DAYS = 3
# Whole rankings are asked for so.
EVERY = 2**31
# Shopify tells stock by such numbers, and the SKU of each with its product.
_LEAST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Supply:
    """What there is of one SKU. `name`: the product's, '' where no shop told it; `sold`: pieces over the days of the
    pace (None: not known)."""

    sku: str
    name: str
    places: tuple[str, ...]
    available: int
    sold: int | None

    def days_left(self, days: int) -> int | None:
        """For how many whole days the stock lasts at the pace of `days` days; None where nothing was sold."""
        return max(self.available, 0) * days // self.sold if days and self.sold and self.sold > 0 else None


@dataclass(frozen=True, slots=True)
class Stock:
    """Stock beside its pace: SKU by SKU, what is out or lasts shortest first; what was not sold lately comes last.

    `days`: how many complete days the pace is of, 0 while there are fewer than LEAST_DAYS, or where it is not
    `is_whole` but that of some locations: what is sold is not told by them. `untold`: pieces sold of SKUs that were too
    many to be told apart; `beyond`: pieces in stock of the same.
    """

    supplies: tuple[Supply, ...]
    days: int
    is_whole: bool = True
    untold: int = 0
    beyond: int = 0


def asides(kpi: Kpi, rollup: Rollup, catalogue: Catalogue, calendar: SiteCalendar, now_ms: int) -> tuple[Request, ...]:
    """What a KPI is read beside: products, their tags, what was sold on each of the last complete days."""
    found: list[Request] = []
    is_by_tag = is_tagged(kpi, rollup)
    if kpi.show == DAYS_LEFT or (is_by_tag and rollup.by[0] != "product"):
        found.append(_now_of(catalogue.rollup(GOODS)))
    if is_by_tag:
        found.append(_now_of(catalogue.rollup(TAGS)))
    if kpi.show == DAYS_LEFT and _is_whole(kpi):
        found += (asked for _, asked in _sold_by_day(catalogue, calendar, now_ms))
    return tuple(found)


def is_tagged(kpi: Kpi, rollup: Rollup) -> bool:
    """Whether a KPI is narrowed to products with a tag; a rollup with a field `tag` of its own is another matter."""
    return TAG not in rollup.by and any(field == TAG for field, _ in kpi.only)


def tagged(kpi: Kpi, rollup: Rollup, catalogue: Catalogue, answers: Answers) -> frozenset[str] | None:
    """The products or SKUs that carry the tag a KPI is narrowed to; None where it is not narrowed so."""
    if not is_tagged(kpi, rollup):
        return None
    wanted = label(dict(kpi.only)[TAG]).replace("|", "/")
    pairs = (row.partition("|") for row in fold_now(catalogue.rollup(TAGS), answers))
    products = {product for product, _, tag in pairs if tag == wanted}
    if rollup.by[0] == "product":
        return frozenset(products)
    known = (row.split("|") for row in fold_now(catalogue.rollup(GOODS), answers) if row != OTHER)
    return frozenset(code for *codes, product in known if product in products for code in codes if code)


def why_untold(kpi: Kpi, rollup: Rollup, catalogue: Catalogue, answers: Answers) -> str:
    """Why nobody knows which products carry a tag: none was told of ('none'), or too many ('many'); '' where it is
    known."""
    if not is_tagged(kpi, rollup):
        return ""
    rows = fold_now(catalogue.rollup(TAGS), answers)
    goods = fold_now(catalogue.rollup(GOODS), answers) if rollup.by[0] != "product" else {}
    return "many" if OTHER in rows or OTHER in goods else "" if rows else "none"


def stock(kpi: Kpi, rows: Totals, catalogue: Catalogue, answers: Answers, calendar: SiteCalendar, now_ms: int,
          since_ms: int | None) -> Stock:
    """Stock by SKU and place beside what was sold of each SKU on the complete days that were counted."""
    pace = [answers.others[asked] for begins_ms, asked in _sold_by_day(catalogue, calendar, now_ms)
            if since_ms is not None and since_ms <= begins_ms and _is_whole(kpi)]
    days = len(pace) if len(pace) >= LEAST_DAYS else 0
    sold: dict[str, int] = {}
    for sku, pieces in (pair for day in pace for pair in day):
        sold[sku] = sold.get(sku, 0) + pieces
    names = _Names(fold_now(catalogue.rollup(GOODS), answers))
    untold = sold.pop(OTHER, 0)
    supplies = [_supply(code, found, names, sold if days and not untold else None, sold if days else {})
                for code, found in _by_sku(rows, names).items()]
    supplies.sort(key=lambda one: (*_urgency(one, days), one.name, one.sku))
    return Stock(tuple(supplies), days, _is_whole(kpi), untold if days else 0, _pieces(rows.get(OTHER, {})))


class _Names:
    """The SKU and product of items, and the product of SKUs, as their shops tell them now."""

    def __init__(self, rows: Iterable[str]) -> None:
        # Several products with one SKU: the first name by the alphabet, whichever came last.
        told = sorted((row.split("|") for row in rows if row != OTHER), reverse=True)
        self.items = {item: (sku, product) for item, sku, product in told if item}
        self.products = {sku: product for _, sku, product in sorted(told, key=lambda one: one[2], reverse=True) if sku}

    def code_of(self, told: str) -> str:
        """The SKU that a level of stock is of: what it says, or what the product says of that item."""
        return self.items.get(told, ("", ""))[0] or told


def _by_sku(rows: Totals, names: _Names) -> dict[str, list[tuple[str, str, int]]]:
    found: dict[str, list[tuple[str, str, int]]] = {}
    for row, aggregates in rows.items():
        if row != OTHER:
            told, _, place = row.partition("|")
            found.setdefault(names.code_of(told), []).append((told, place, _pieces(aggregates)))
    return found


def _supply(code: str, told: Sequence[tuple[str, str, int]], names: _Names, whole: Mapping[str, int] | None,
            sold: Mapping[str, int]) -> Supply:
    """`whole`: what was sold, where no sale may be missing; `sold`: what of it is told apart."""
    items = [names.items[item][1] for item, _, _ in told if item in names.items]
    name = names.products.get(code, "") or min(items, default="")
    is_item = code.isdecimal() and len(code) >= _LEAST_DIGITS and code not in names.products
    is_known = whole is not None and (code in whole or not is_item)
    places = tuple(sorted({place for _, place, _ in told if place}))
    return Supply(code, name, places, sum(pieces for *_, pieces in told),
                  sold.get(code, 0) if is_known else sold.get(code))


def _urgency(supply: Supply, days: int) -> tuple[int, float, int]:
    """Out and wanted, then the shortest, then what is out and unwanted, then by pieces."""
    left, is_out = supply.days_left(days), supply.available <= 0
    if left is not None:
        return 0, 0 if is_out else left + 1, -(supply.sold or 0)
    return (1 if is_out else 2 if supply.sold is None else 3), 0, supply.available


def _is_whole(kpi: Kpi) -> bool:
    return all(field != "location" for field, _ in kpi.only)


def _pieces(aggregates: Mapping[str, int]) -> int:
    return int(aggregates.get("s", 0))


def _sold_by_day(catalogue: Catalogue, calendar: SiteCalendar, now_ms: int) -> list[tuple[int, Request]]:
    """The last complete days: when each begins, and what was sold of each SKU."""
    today, rollup = calendar.day_of(now_ms), catalogue.rollup(SOLD)
    begins = [calendar.day_begins(today - timedelta(days=back)) for back in range(PACE_DAYS, 0, -1)]
    return [(begins_ms, Request("top", tuple(hashes_of(rollup, [calendar.place(begins_ms).day], calendar)),
                                most=EVERY)) for begins_ms in begins]


def _now_of(rollup: Rollup) -> Request:
    return Request("hash", (now_hash(rollup),))
