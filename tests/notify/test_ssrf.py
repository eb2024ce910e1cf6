"""Addresses that lead where only opsmon can go: however they are written, nobody is connected to (HARDENING T15).

Python's audit hooks tell of every connection this process begins, to whatever port: none of them is to happen.
"""

import ast
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from random import Random
from ssl import SSLContext
from typing import Any

import pytest

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver, masked
from opsmon.notify import egress
from opsmon.notify.egress import Egress, is_public
from opsmon.notify.ports import DeliveryFailed
from opsmon.notify.webhook import WebhookNotifier
from tests.conftest import NOW_MS
from tests.fakes.sinks import Sink, https_sink
from tests.notify.test_egress import NOT_PUBLIC, WRITTEN

pytestmark = pytest.mark.anyio
SECRET = "whsec_" + "a" * 40
SAID = Message("key-1", "Late", "Orders are late.", {"word": "fired"})
OPSMON = Path(egress.__file__).parents[1]
# What one reader takes for a public name, and another for this machine, its network or a cloud's own (HARDENING T15).
TRICKS = [
    *WRITTEN, "https://0/", "https://0x0/", "https://127.0.1/", "https://127.0x1/", "https://0x7f.1/", "https://017700000001/",
    "https://0x7f.0x0.0x0.0x1/", "https://00000177.0.0.1/", "https://4294967295/", "https://127.0.0.1.0x/",
    "https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/",
    "https://[::]/", "https://[0::1]/", "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[fd00:ec2::254]/",
    "https://[64:ff9b::127.0.0.1]/", "https://[2002:7f00:1::]/", "https://[v1.127.0.0.1]/", "https://[127.0.0.1]/",
    "https://hook.example:443@127.0.0.1/", "https://a:b@hook.example/", "https://@127.0.0.1/", "https://:@127.0.0.1/",
    "https://127.0.0.1#@hook.example/", "https://127.0.0.1?@hook.example/", "https://127.0.0.1;@hook.example/",
    "https://127.0.0.1,hook.example/", "https://127.0.0.1%00.hook.example/", "https://127.0.0.1%2f@hook.example/",
    "https://hook.example%23@127.0.0.1/", "https://127.0.0.1\t/", "https://127.0.0.1\r\nHost: hook.example/",
    "https://127.0.0.1 /", " https://127.0.0.1/", "https://127.0.0.1\u3002hook.example/", "https://ⓛocalhost/",
    "https://ｌｏｃａｌｈｏｓｔ/", "https://１２７.0.0.1/", "https://lo\u00adcalhost/", "https://localhost./", "https://LOCALHOST/",
    "https://localhost.localdomain/", "https://metadata.google.internal/", "https://127.0.0.1.nip.io/",
    "https://127.0.0.1:0/", "https://127.0.0.1:65536/", "https://127.0.0.1:-1/", "https://127.0.0.1:+443/",
    "https://127.0.0.1:4_43/", "https://127.0.0.1:٤٤٣/", "https://127.0.0.1::443/", "https://127.0.0.1:443:80/",
    "https:\\\\127.0.0.1\\", "https:/127.0.0.1/", "https:////127.0.0.1/", "HTTPS://127.0.0.1/", "https://\\127.0.0.1/",
    "http://hook.example/", "ftp://127.0.0.1/", "ws://127.0.0.1/", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/",
    "unix:///run/store.sock", "javascript:1", "data:text/plain,1", "//hook.example/", "/etc/passwd", "127.0.0.1", "",
    "https://", "https:", "https://?", "https://#", "https://.", "https://..", "https://-", "https://a..b/", "https://*/",
    "https://xn--/", "https://[", "https://[]/", "https://]/", "https://%/", "https://1.1.1.1:22/", "https://1.1.1.1:80/",
    "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/", "https://hook.example/" + "a" * 2001,
]


class Ears:
    """What this process connects to and asks names of, told by Python itself."""

    def __init__(self) -> None:
        self.is_on, self.connected, self.named = False, list[Any](), list[Any]()
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Whatever happens anywhere."""
        if self.is_on and event == "socket.connect" and isinstance(args[1], tuple):
            self.connected.append(args[1][:2])
        if self.is_on and event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self.named.append(args[0])


EARS: list[Ears] = []


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Open while a test runs; a hook cannot be taken away, so there is one."""
    EARS[:] = EARS or [Ears()]
    heard = EARS[0]
    heard.connected, heard.named, heard.is_on = [], [], True
    yield heard
    heard.is_on = False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificate of the canary is, made once."""
    return tmp_path_factory.mktemp("canary")


@pytest.fixture
async def sink(folder: Path) -> AsyncIterator[tuple[Sink, SSLContext]]:
    """A canary on this machine."""
    async with https_sink(folder) as made:
        yield made


class Names:
    """A name server that knows every name: numbers as old readers take them, all else as this machine, or as told."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if self.answers:
            return self.answers[min(len(self.asked), len(self.answers)) - 1]
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        try:
            return [socket.inet_ntoa(socket.inet_aton(host))]
        except (OSError, UnicodeEncodeError):
            return ["127.0.0.1"]


def forms(address: str) -> list[str]:
    """One address, written in every way there is."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        return [f"[{found}]", f"[{found.exploded}]", f"[{str(found).upper()}]"]
    number, parts = int(found), [int(part) for part in address.split(".")]
    nat, tunnel = IPv6Address((0x64ff9b << 96) + number), IPv6Address((0x2002 << 112) + (number << 80))
    return [address, f"{address}.", str(number), hex(number), f"0{number:o}", ".".join(map(hex, parts)),
            ".".join(f"0{part:o}" for part in parts), f"{parts[0]}.{number & 0xffffff}", f"[::ffff:{address}]",
            f"[::{address}]", f"[{nat}]", f"[{tunnel}]", f"{address}%2e", address.replace(".", "。")]


@pytest.mark.parametrize("written", TRICKS)
async def test_nobody_is_connected_to(written: str, ears: Ears, sink: tuple[Sink, SSLContext]) -> None:
    """Refused for good, before any connection, and no name is asked for but by the one resolver."""
    url = written.replace("{port}", str(sink[0].port))
    with pytest.raises(DeliveryFailed) as failed:
        await Egress(context=sink[1], resolve=Names()).post(url, {}, b"{}")
    assert (failed.value.is_permanent, ears.connected, ears.named, sink[0].connections) == (True, [], [], 0)


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_everybodys_is_connected_to_in_no_form(address: str, ears: Ears) -> None:
    """Decimal, octal, hexadecimal, as part of one of IPv6; itself, or what a name leads to."""
    for host in forms(address):
        for url in (f"https://{host}/", f"https://{host}:443/x?y=1"):
            with pytest.raises(DeliveryFailed):
                await Egress(resolve=Names()).post(url, {}, b"{}")
    assert (ears.connected, ears.named) == ([], [])


async def test_every_network_next_to_one_that_is_refused_is_told_apart() -> None:
    """The first and the last of each, and those just beside: 10.255.255.255 is, 11.0.0.0 is not."""
    for network in egress._NOT_PUBLIC:
        assert not is_public(network[0])
        assert not is_public(network[-1])
    assert is_public(IPv4Address("11.0.0.0"))
    assert is_public(IPv4Address("9.255.255.255"))


async def test_a_name_that_means_another_address_a_moment_later_leads_nowhere(
        ears: Ears, sink: tuple[Sink, SSLContext]) -> None:
    """DNS rebinding, a hundred times: the name is asked for once, and what was looked at is what is connected to."""
    random, port = Random(1), sink[0].port
    for _ in range(100):
        answers = [["127.0.0.1"], random.choice([["10.0.0.1"], ["::1"], ["169.254.169.254"], ["127.0.0.2"]])]
        random.shuffle(answers)
        names, ears.connected = Names(*answers), []
        out = Egress(("127.0.0.1/32",), sink[1], names)
        if answers[0] == ["127.0.0.1"]:
            await out.post(f"https://hook.example:{port}/", {}, b"{}")
        else:
            with pytest.raises(DeliveryFailed):
                await out.post(f"https://hook.example:{port}/", {}, b"{}")
        assert names.asked == ["hook.example"]
        assert ears.connected == ([("127.0.0.1", port)] if answers[0] == ["127.0.0.1"] else [])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent", "300 Many"])
@pytest.mark.parametrize("where", ["http://169.254.169.254/", "file:///etc/passwd", "https://127.0.0.1:{port}/other",
                                   "//127.0.0.1/", "/other"])
async def test_a_redirect_leads_nowhere(
        status: str, where: str, ears: Ears, sink: tuple[Sink, SSLContext]) -> None:
    """Of whatever kind: one connection, one request, and a failure for good that shows nothing of the answer."""
    sink[0].status, sink[0].headers = status, f"Location: {where.replace('{port}', str(sink[0].port))}\r\n"
    hook = Receiver("hook", "Hook", "webhook", sink[0].url, SECRET)
    with pytest.raises(DeliveryFailed) as failed:
        await WebhookNotifier(Egress(("127.0.0.1/32",), sink[1])).send(hook, SAID, NOW_MS)
    assert (ears.connected, len(sink[0].asked)) == ([("127.0.0.1", sink[0].port)], 1)
    assert (failed.value.is_permanent, "169.254" in str(failed.value)) == (True, False)


@pytest.mark.parametrize("url", ["https://ana:hunter2@hook.example/", "https://hunter2@127.0.0.1/"])
async def test_what_stands_before_an_at_sign_is_told_to_nobody(url: str, ears: Ears) -> None:
    """Such an address is refused, and neither the failure nor a page shows it."""
    with pytest.raises(DeliveryFailed) as failed:
        await Egress(resolve=Names(["1.1.1.1"])).post(url, {}, b"{}")
    told = str(failed.value) + masked(Receiver("hook", "Hook", "webhook", url, SECRET))
    assert ("hunter2" in told, ears.connected) == (False, [])


def test_nothing_of_opsmon_goes_out_but_by_the_guard() -> None:
    """Who else opens connections is known, and goes where settings lead, never where somebody typed."""
    trees = {str(path.relative_to(OPSMON)): ast.parse(path.read_text()) for path in OPSMON.rglob("*.py")}
    assert {name for name, tree in trees.items() if _goes_out(tree)} == GOING


# Mail goes to the server of OPSMON_SMTP_URL; pollers to the shop that settings name; the others to opsmon itself, by
# the address of its own settings. Apprise, imported by name, goes to its vendors (test_channels.py).
GOING = {"notify/egress.py", "notify/email.py", "pollers/http.py", "web/reaching.py", "demo_feed.py",
         "commands/demo.py", "commands/asking.py"}
_CLIENTS = {"http.client", "urllib.request", "smtplib", "httpx", "requests", "aiohttp", "socketserver", "ftplib"}


def _goes_out(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and {alias.name for alias in node.names} & _CLIENTS:
            return True
        if isinstance(node, ast.ImportFrom) and (
                node.module in _CLIENTS or f"{node.module}.{node.names[0].name}" in _CLIENTS):
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("open_connection", "create_connection"):
            return True
    return False
