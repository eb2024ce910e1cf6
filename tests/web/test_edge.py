"""Who really sent a request, under which names boards answer, and what is found on the port for the internet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis
from starlette.types import Scope

from opsmon.app.web import open_web
from opsmon.clock import ManualClock
from opsmon.core.access import LOCAL
from opsmon.core.calendar import SiteCalendar
from opsmon.core.pairing import code_of
from opsmon.listening import listen
from opsmon.settings import Settings
from opsmon.store.accounts.audit import read_audit
from opsmon.store.accounts.records import PairedScreen
from opsmon.store.accounts.screens import Screens
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.web.addresses import Networks
from opsmon.web.edge import believe
from opsmon.web.hosts import KnownHosts, name_of
from opsmon.web.server import serve
from opsmon.web.wording import Wording
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import KEYS, signed_in, with_admin

pytestmark = pytest.mark.anyio

PROXIES = Networks(ip_network(one) for one in ("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/64"))


def believed(peer: str, *headers: tuple[str, str]) -> tuple[str, str]:
    """The client and the scheme of a request that `peer` hands on, as a proxy that is trusted."""
    scope: Scope = {"type": "http", "client": (peer, 5000), "scheme": "http",
                    "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers]}
    believe(scope, PROXIES)
    return scope["client"][0], scope["scheme"]


@pytest.mark.parametrize(("forwarded", "client"), [
    (["192.0.2.1"], "192.0.2.1"), (["203.0.113.7, 192.0.2.1"], "192.0.2.1"), (["192.0.2.1, 10.0.0.3"], "192.0.2.1"),
    (["203.0.113.7", "192.0.2.1"], "192.0.2.1"), (["192.0.2.1", "10.1.1.1", "2001:db8::5"], "192.0.2.1"),
    (["10.0.0.9, 10.0.0.3"], "10.0.0.9"), (["::ffff:192.0.2.1"], "192.0.2.1"), (["2001:db8:1::1"], "2001:db8:1::1"),
    ([], "127.0.0.1"), ([""], "127.0.0.1"), (["unknown"], "127.0.0.1"), (["192.0.2.1, x"], "127.0.0.1"),
    (["192.0.2.1, evil, 10.0.0.3"], "10.0.0.3"), (["192.0.2.1:80"], "127.0.0.1"), (["x" * 5_000], "127.0.0.1"),
    (["\xe9"], "127.0.0.1"), (["192.0.2.1\t"], "192.0.2.1"),
], ids=str)
def test_the_client_is_the_last_that_no_trusted_proxy_was(forwarded: list[str], client: str) -> None:
    """What stands before it was written by the sender, who may write anything."""
    assert believed("127.0.0.1", *(("x-forwarded-for", one) for one in forwarded))[0] == client


@pytest.mark.parametrize(("said", "scheme"), [("https", "https"), ("HTTPS", "https"), ("http", "http"), ("", "http"),
                                              ("https, http", "http"), ("http, https", "https"), ("ftp", "http")])
def test_the_scheme_is_what_the_nearest_proxy_says(said: str, scheme: str) -> None:
    """From it cookies get names that only TLS may set."""
    assert believed("127.0.0.1", ("x-forwarded-proto", said))[1] == scheme


async def test_a_cookie_over_tls_is_bound_to_its_host(line: Line) -> None:
    """A trusted proxy ended the TLS: the session's cookie is secure and cannot have been set by a neighbour."""
    answer = await request(line.port, "POST", "/logout", b"", {
        "sec-fetch-site": "same-origin", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1",
        "cookie": "__Host-" + await signed_in(line.store, "viewer", NOW_MS)})
    name, _, flags = answer.headers["set-cookie"].partition("=")
    assert (name, flags) == ("__Host-opsmon-session", "; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure")


@asynccontextmanager
async def opened(settings: Settings, clock: ManualClock, public: tuple[str, int] | None = None
                 ) -> AsyncIterator[list[int]]:
    """A web process with these settings; its ports."""
    sockets = listen("127.0.0.1", 0, boards=True, public=public)
    async with open_web(settings, boards=True, ingest=True, clock=clock) as web:
        server = serve(web.app, sockets, web.drain)
        serving = asyncio.create_task(server.serve(sockets))
        assert web.feed is not None
        await web.feed.ready.wait()
        try:
            yield [one.getsockname()[1] for one in sockets]
        finally:
            server.should_exit = True
            await serving


async def test_nobody_else_is_believed(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Without trusted proxies the header is anybody's invention, and so is TLS."""
    async with opened(replace(settings, trusted_proxies=()), clock) as (port,):
        await with_admin(store)
        answer = await request(port, "POST", "/logout", b"", {
            "sec-fetch-site": "same-origin", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"})
    assert answer.headers["set-cookie"].startswith("opsmon-session=")


async def test_the_address_of_the_client_is_what_the_audit_tells(line: Line, settings: Settings) -> None:
    """And what tries are counted by."""
    path = f"/welcome/{DataDir(settings.data).first_secret()}"
    form = b"name=Ana&email=ana%40shop.example&password=three+odd+herons"
    await request(line.port, "POST", path, form, {"content-type": "application/x-www-form-urlencoded",
                                                  "sec-fetch-site": "same-origin", "x-forwarded-for": "192.0.2.1"})
    assert [one.address for one in await read_audit(Reader(line.store), KEYS, 10)] == ["192.0.2.1"]


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via",
                                    "x-real-ip"])
async def test_who_comes_through_a_proxy_is_not_at_this_machine(line: Line, header: str) -> None:
    """Some proxies ask for 127.0.0.1 whatever they were asked for: before there are accounts that opens nothing."""
    assert (await line.get("/", **{header: "127.0.0.1"})).status == 403


# Names


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:8000", "[::1]:8000",
                                  "192.168.7.9:8000", "[2001:db8::1]", "hall.lan", "Hall.lan:8000", "hall.lan.",
                                  "ops.example.com", "a.localhost"])
async def test_boards_answer_under_names_that_are_known(settings: Settings, clock: ManualClock, store: Redis,
                                                        host: str) -> None:
    """Those of the settings, those of this machine, and every bare address."""
    known = replace(settings, hosts=frozenset({"hall.lan"}), public_url="https://ops.example.com")
    await with_admin(store)
    async with opened(known, clock) as (port,):
        assert (await request(port, "GET", "/login", b"", {"host": host})).status == 200


async def _nowhere(*_: object) -> None:
    raise AssertionError


@pytest.mark.parametrize("host", ["evil.example", "hall.lan.evil.example", "xhall.lan", "127.0.0.1.evil.example",
                                  "localhost.evil.example", "a/?x=hall.lan", "hall.lan@evil.example", "", "1", "[::1",
                                  "127.1", "0x7f.1", "\xe9", "hall.lan:80:80", "hall.lan:"])
def test_no_other_name_is(host: str) -> None:
    """A page that made its own name point here asks by that name."""
    wording = Wording("en", SiteCalendar(ZoneInfo("Europe/Berlin")))
    assert not KnownHosts(_nowhere, {"hall.lan"}, wording).know(name_of(host.encode("latin-1")))


async def test_who_asks_by_another_name_reads_what_to_set(line: Line) -> None:
    """Once somebody has an account: before that boards are shown at this machine only."""
    await with_admin(line.store)
    answer = await line.get("/login", host="hall.example:8000")
    assert (answer.status, "OPSMON_HOSTS=hall.example," in answer.text) == (421, True)


async def test_webhooks_come_by_any_name(line: Line) -> None:
    """Their signature speaks for them; a tunnel may ask by a name of its own."""
    await with_admin(line.store)
    assert (await line.post("orders/create", {"id": 1}, host="tunnel.example")).status == 200


# The port for the internet


def free_port() -> int:
    (listener,) = listen("127.0.0.1", 0, boards=False)
    with listener:
        return int(listener.getsockname()[1])


PUBLIC = {
    "/livez": 200, "/pixel.js": 200, "/shopify-pixel.js": 200, "/collect": 204, "/webhooks/shopify": 405,
    "/ingest/events": 405, "/ingest/nobody": 404,
    "/pair": 409, "/": 404, "/wall": 404,
    "/live": 404, "/login": 404, "/status": 404, "/metrics": 404, "/api/kpis": 404,
    "/readyz": 404, "/enter": 404, "/welcome/x": 404, "/dead-letters": 404, "//": 404, "/webhooks": 404,
    "/WALL": 404, "/livez/": 404, "/%77all": 404, "/.//wall": 404, "/nothing": 404,
}


async def test_the_port_for_the_internet_has_no_boards(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Webhooks, events, what pages send; the other port has all."""
    public = ("127.0.0.1", free_port())
    async with opened(replace(settings, public_host=public[0], public_port=public[1]), clock, public) as (inner, outer):
        found = {path: (await request(outer, "GET", path, b"", {})).status for path in PUBLIC}
        inside = {path: (await request(inner, "GET", path, b"", {})).status for path in ("/", "/wall", "/livez")}
    assert (found, inside) == (PUBLIC, dict.fromkeys(inside, 200))


def cookie_of(answer: Answer) -> str:
    return answer.headers.get("set-cookie", "").partition(";")[0]


@pytest.mark.parametrize(("hosts", "host", "leads"), [
    ({"hall.lan", "ops.example.com"}, "hall.lan", "http://hall.lan:{port}/wall"),
    ({"hall.lan", "ops.example.com"}, "ops.example.com", ""), (set(), "ops.example.com", ""),
], ids=["to the boards, where its cookie goes too", "by a word, to another host", "by a word, where nobody knows"])
async def test_a_screen_paired_at_the_port_for_the_internet_is_led_to_its_wall(
    settings: Settings, clock: ManualClock, store: Redis, hosts: set[str], host: str, leads: str
) -> None:
    """Never to an address of that port, where there are no boards; and so is the phone that lets it in."""
    await with_admin(store)
    public = ("127.0.0.1", free_port())
    own = replace(settings, public_port=public[1], hosts=frozenset(hosts), public_url="https://ops.example.com")
    boards = f"hall.lan:{own.port}"
    async with opened(own, clock, public) as (inner, outer):
        waits = await request(outer, "GET", "/pair", b"", {"host": host})
        screens = Screens(store, Reader(store), KEYS)
        code = code_of(cookie_of(waits).partition("=")[2])
        assert await screens.approve(LOCAL, "", code, PairedScreen("", "Hall", "", "sales"), NOW_MS) is not None
        let_in = await request(outer, "GET", "/pair", b"", {"host": host, "cookie": cookie_of(waits)})
        wall = await request(inner, "GET", "/wall", b"", {"cookie": cookie_of(waits)})
    assert let_in.headers.get("location", "") == leads.format(port=own.port)
    assert (f"{boards}/screens/pair" in waits.text, "ops.example.com" in waits.text) == (bool(hosts), False)
    assert leads or (f"http://{boards}/wall" if hosts else "Open /wall on it") in let_in.text
    assert wall.status == 200


async def test_links_for_people_never_lead_to_the_port_for_the_internet(
    settings: Settings, clock: ManualClock, store: Redis
) -> None:
    """An invitation is opened where the boards are: there it was made."""
    public = ("127.0.0.1", free_port())
    own = replace(settings, public_port=public[1], public_url="https://ops.example.com")
    form = b"name=Ben&email=ben%40shop.example&role=viewer&teams="
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin",
               "cookie": await signed_in(store, "admin", NOW_MS)}
    async with opened(own, clock, public) as (inner, _):
        answer = await request(inner, "POST", "/people", form, headers)
    assert (f"http://127.0.0.1:{inner}/invite/" in answer.text, "ops.example.com" in answer.text) == (True, False)
