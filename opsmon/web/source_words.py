"""What is said of sources: names, states, likely causes of refusals, and how each kind is set up."""

import re
from collections.abc import Iterable, Sequence

from opsmon.core.health import Heard
from opsmon.core.source_health import SourceState
from opsmon.web.languages import N_
from opsmon.web.views import StepPartView, StepView
from opsmon.web.wording import Wording

TITLES = {
    "shopify": "Shopify", "odoo": "Odoo", "woocommerce": "WooCommerce", "standard-webhooks": "Standard Webhooks",
    "cloudevents": "CloudEvents", "json": "JSON", "events": N_("Own programs"),
    "import": N_("Imported files"), "pixel": N_("Shop pages"), "floor": N_("Entered by hand"),
    "recon": N_("Asked of Shopify"),
}
# Why a delivery was refused, by the reason it is counted under: the likely cause first, then what to do.
CAUSES = {
    "no_secret": N_("No secret is set for this sender: give opsmon the one it signs with."),
    "bad_signature": N_("The body was changed on its way (a proxy or plugin that rewrites JSON), or it was signed "
                        "with another secret: webhooks made in the admin and those of an app have different ones."),
    "unsigned": N_("The signature is missing: this was not the shop, or a proxy takes the header away."),
    "bad_headers": N_("Topic, shop or delivery id are missing or odd: this was not the sender it claims to be."),
    "bad_origin": N_("The sender asked for leave from an address that is not among the origins of this source."),
    "no_token": N_("The token is missing: it goes into Authorization: Bearer, or to the end of the address."),
    "bad_token": N_("The token is none of this source: it was mistyped, or replaced by a newer one."),
    "stale": N_("It was signed over 5 minutes ago: an old delivery was sent again, or one of the two clocks is wrong."),
    "too_large": N_("The body is over the limit: send fewer events at a time."),
    "too_many": N_("There are more events in a body than the limit: send fewer at a time."),
    "slow_body": N_("The body did not arrive within its time: the connection of the sender is slow, or was cut."),
    "client_gone": N_("The sender hung up before its body was whole: its own time limit is short, or the way is slow."),
    "bad_body": N_("The body is not JSON as this source sends it: something else was sent to this address."),
    "not_json": N_("Lines were not JSON: a program writes something else, or cut a line in two."),
    "not_object": N_("An event has to be a JSON object; texts, numbers and lists were sent."),
    "bad_id": N_("An event needs an id, a text of 1 to 128 characters."),
    "bad_type": N_("An event needs a type in small letters with a dot in it, such as page.viewed."),
    "bad_source": N_("The source of an event is a name in small letters, and not that of a vendor with an own door."),
    "bad_time": N_("A time could not be read: expected ISO 8601 with an offset, or epoch milliseconds."),
    "bad_key": N_("The key of an event is a text of at most 200 characters."),
    "bad_version": N_("A version is a whole number, and the event needs a key it is the version of."),
    "bad_data": N_("The data of an event are flat: at most 50 texts and numbers by name."),
    "bad_fields": N_("An event of a known type lacks what its numbers are made of: opsmon kpis --facts lists the "
                     "fields."),
    "reserved_type": N_("These types are made of vendors' deliveries; sent by hand they would count twice."),
    "content_type": N_("The Content-Type is not one that this source reads."),
    "stopped": N_("It cannot be used, and as many dead letters of this source are kept as anybody looks at: look "
                  "there."),
    "spool_full": N_("The store was away for so long that the place on the disk was used up."),
    "bad_event": N_("What a page told lacks its id or visitor, or has fields of another kind: another script wrote "
                    "it."),
    "unknown_name": N_("A page told something by a name that is none of those that are taken."),
    "custom_names": N_("There were more names of a page's own in a day than are told apart."),
    "visitors": N_("There were more visitors in a day than there is room for: robots, or a setting that is too small."),
    "checkouts": N_("There were more checkouts in a day than there is room for: robots, or a setting that is too "
                    "small."),
    "origin": N_("A page of another site sent it: its address is none of those that may."),
    "method": N_("It was asked for instead of posted: a robot, as a rule."),
    "busy": N_("More came at once than could wait: what pages tell is let go first."),
    "full": N_("The room for what pages tell is full: the workers are behind, or the setting is too small."),
    "rate": N_("More came than is taken in a second: what pages tell is let go first."),
    "rate_each": N_("One network sent more than one may: a robot, as a rule."),
}
WORDS: dict[SourceState, str] = {
    "never": N_("Never heard"), "well": N_("Well"), "silent": N_("Silent"), "refusing": N_("Refusing everything"),
    "stopped": N_("Stopped"),
}
STOPPED = N_("What cannot be used is not kept any more: there are as many dead letters of it as anybody looks at. "
             "Settle or discard them; what can be used is still taken.")
EVENT_STEPS = (
    N_("POST JSON lines, a JSON array or one JSON object to {url}"),
    N_("Send a token along: Authorization: Bearer …, one of OPSMON_INGEST_TOKEN. Until that is set, the text in the "
       "file test-secret of the data folder is one."),
    N_('Each event has an id, a type and data: {"id": "r-1", "type": "api.request", "data": {"endpoint": "/cart", '
       '"ms": 41}}. The same id again counts once.'),
)
IMPORT_STEPS = (
    N_("Try it first: opsmon import --dry-run orders.csv says which columns it takes, and stores nothing."),
    N_("Then opsmon import orders.csv takes the orders. Importing twice changes nothing."),
)
PIXEL_STEPS = (
    N_('Put <script defer src="{url}/pixel.js"></script> into the shop\'s pages.'),
    N_("Shopify: Settings, Customer events, Add custom pixel; paste what {url}/shopify-pixel.js shows, put {url} "
       "into its first line, save and connect it."),
    N_("Open a page of the shop: this card says within seconds that it was seen."),
)
FLOOR_STEPS = (
    N_("Open {url}/enter on the phone: orders, counts, moves and scans by hand."),
)
NOT_PUBLIC = N_("%(base)s is good on this machine only. Once a proxy or a tunnel leads here, set OPSMON_PUBLIC_URL to "
                "the address the internet knows it by.")
UNKNOWN_STEPS = (
    N_("Let it send to {url}"),
    N_("Give opsmon the secret it signs with, and start opsmon again."),
)
_COPIED = re.compile(r"(https?://[^\s,;]*[^\s,;.]|OPSMON_[A-Z_]+(?:=…)?|\[\[source\]\]|opsmon\.toml|"
                     r"opsmon import [\w. -]*\.csv|\b[a-z_]+ = (?:\"[^\"]*\"|\[[^\]]*\])|"
                     r"Authorization: Bearer …|\{\".*\"?\}{1,2})")


def title(name: str, wording: Wording) -> str:
    """What a source is called in a heading."""
    return wording.say(TITLES[name]) if name in TITLES else name


def cause(reason: str, wording: Wording) -> str:
    """Why deliveries are refused for this reason, and what to do; '' where that is not known."""
    return wording.say(CAUSES.get(reason, ""))


def state_word(state: SourceState, heard: Heard, wording: Wording) -> str:
    """A state in a word or two; of silence, since when."""
    if state == "silent" and heard.last_ms is not None:
        return wording.say("Silent since %(time)s", time=wording.time(heard.last_ms))
    return wording.say(WORDS[state])


def steps_of(steps: Iterable[str], name: str, url: str, wording: Wording) -> tuple[StepView, ...]:
    """Set-up steps with name and address put in, divided into words and what is to be copied."""
    return tuple(_divided(wording.say(step).replace("{url}", url).replace("{name}", name)) for step in steps)


def _divided(step: str) -> StepView:
    parts: Sequence[str] = _COPIED.split(step)
    return StepView(tuple(StepPartView(part, at % 2 == 1) for at, part in enumerate(parts) if part))
