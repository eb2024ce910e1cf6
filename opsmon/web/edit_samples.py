"""Samples of what boards are made with, in every state, for /components."""

from dataclasses import replace

from opsmon.web import edit_views as e
from opsmon.web.samples import ORDERS

_SIZES = (e.ChoiceView("S", "S", is_chosen=False), e.ChoiceView("L", "L", is_chosen=True))
_LIVE = (e.ChoiceView("live", "Live", is_chosen=True),)
_NOWHERE = (e.ChoiceView("", "not on the wall", is_chosen=True),)
_PLAIN = e.TileFormView(
    key="orders-today", label="Orders today", about="L. Place 1 on the wall", view=ORDERS, trouble="", is_first=True,
    is_last=False, is_open=False, focus="", title="", sizes=_SIZES, rows=_LIVE, places=_NOWHERE, wall_sizes=_SIZES,
    compares=(e.ChoiceView("", "the same weekday last week", is_chosen=True),),
    filters=(e.FilterView("channel", "Channel", "web", ("web", "pos")),), not_narrowed="", warn="", critical="",
    is_lowest=False, limit_hint="a number, like 40",
)
FORMS = (
    ("plain, first of its row", _PLAIN),
    ("unfolded, cannot be narrowed, with limits", replace(
        _PLAIN, key="gauges", label="Gauges", is_first=False, is_open=True, filters=(), compares=(), warn="40",
        critical="50", is_lowest=True, not_narrowed="This is counted as a whole.")),
    ("of a KPI that is gone, last of its row", replace(
        _PLAIN, key="gone", label="doors-opened", view=None, is_first=False, is_last=True,
        trouble="There is no KPI of this id.")),
)
EDIT = e.EditView(
    id="sales", title="Sales", version=3, rows=(e.EditRowView("Live", "as it happens", ()),), notice="", trouble="",
    is_own=False, can_undo=True, is_changed=True, filters=())
OFFERS = (("new", e.OfferedView("orders-today", "Orders today", ORDERS, is_there=False)),
          ("on the board already", e.OfferedView("orders-today", "Orders today", ORDERS, is_there=True)))
GALLERY_OF_SALES = e.GalleryView("sales", "Sales", 3, ())
CONFLICT = e.ConflictView(
    id="sales", title="Sales", version=4, theirs=("Removed: Orders today",), mine=("Renamed to Shop floor",),
    form=(("act", "title"), ("title", "Shop floor")))
GONE = e.ListedView("mine", "Mine", "3 tiles", 5, is_own=True)
