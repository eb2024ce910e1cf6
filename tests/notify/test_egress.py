"""The one way out: what it refuses without a single connection, and what it makes of those who answer badly."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from ssl import SSLContext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.notify import egress
from opsmon.notify.egress import Egress, is_public
from opsmon.notify.ports import DeliveryFailed
from tests.fakes.sinks import Sink, https_sink

pytestmark = pytest.mark.anyio
# HARDENING D16: those that is_private or is_global let pass among them.
NOT_PUBLIC = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "233.252.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111",
    "2a00:1450::1",
]
# Ways of writing an address that some reader takes for one of this machine.
WRITTEN = [
    "http://127.0.0.1:{port}/", "https://127.1:{port}/", "https://2130706433:{port}/", "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/", "https://127.0.0.1.:{port}/", "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://[0:0:0:0:0:0:0:1]:{port}/", "https://localhost:{port}/",
    "https://user@127.0.0.1:{port}/", "https://hook.example#@127.0.0.1:{port}/",
    "https://hook.example\\@127.0.0.1:{port}/", "https://①②⑦.⓪.⓪.①:{port}/", "https://127。0。0。1:{port}/",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\.hook.example/", "https://%31%32%37.0.0.1:{port}/", "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}", "https://0/", "https://0.0.0.0:{port}/", "https://127.0.0.1:{port}",
]


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[tuple[Sink, SSLContext]]:
    """An https address on this machine."""
    async with https_sink(tmp_path) as made:
        yield made


def named(*answers: Sequence[str]) -> egress.Resolve:
    """A name server that answers so, one after the other, the last for ever."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_everybodys_is_refused(address: str) -> None:
    """This machine, the house, a cloud's own, tunnels to them."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_not(address: str) -> None:
    """Just beside the others too."""
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(address: object) -> None:
    """Ours refuses more, never less."""
    found = ip_address(str(address))
    assert not (is_public(found) and (found.is_private or found.is_multicast or found.is_reserved))


@pytest.mark.parametrize("written", WRITTEN)
async def test_however_this_machine_is_written_nobody_connects(
        written: str, sink: tuple[Sink, SSLContext]) -> None:
    """Refused for good, and the address here hears nothing."""
    out = Egress(context=sink[1])
    with pytest.raises(DeliveryFailed):
        await out.post(written.format(port=sink[0].port), {}, b"{}")
    assert sink[0].connections == 0


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_there_is_refused(address: str, sink: tuple[Sink, SSLContext]) -> None:
    """Whatever it is called."""
    out = Egress(context=sink[1], resolve=named([address]))
    with pytest.raises(DeliveryFailed) as failed:
        await out.post(f"https://hook.example:{sink[0].port}/", {}, b"{}")
    assert (failed.value.is_permanent, sink[0].connections) == (True, 0)


async def test_of_several_addresses_all_must_be_public(sink: tuple[Sink, SSLContext]) -> None:
    """Else chance would choose."""
    out = Egress(context=sink[1], resolve=named(["1.1.1.1", "127.0.0.1"]))
    with pytest.raises(DeliveryFailed):
        await out.post("https://hook.example/", {}, b"{}")
    assert sink[0].connections == 0


async def test_a_name_is_asked_for_once(sink: tuple[Sink, SSLContext]) -> None:
    """The address that was looked at is the one that is connected to: a name that means another one a moment later
    (DNS rebinding) leads nowhere. Here the first is allowed, and the second would be refused."""
    out = Egress(("127.0.0.1/32",), sink[1], named(["127.0.0.1"], ["10.0.0.1"]))
    await out.post(f"https://hook.example:{sink[0].port}/", {}, b"{}")
    assert sink[0].connections == 1


async def test_another_port_of_the_internet_is_refused() -> None:
    """Mail, stores and consoles listen there."""
    with pytest.raises(DeliveryFailed):
        await Egress(resolve=named(["1.1.1.1"])).post("https://hook.example:25/", {}, b"{}")


async def test_a_network_the_admin_allows_is_asked(sink: tuple[Sink, SSLContext]) -> None:
    """Of the house, on any port, https all the same."""
    found = await Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {"X-One": "1"}, b'{"a":1}')
    ((first, headers, body),) = sink[0].asked
    assert (found.status, first, headers["x-one"], body) == (204, "POST /hook HTTP/1.1", "1", b'{"a":1}')


@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/", "file:///etc/passwd", "https://127.0.0.1/"])
async def test_a_redirect_is_not_followed(where: str, sink: tuple[Sink, SSLContext]) -> None:
    """Wherever it leads: one connection, and its status is told."""
    sink[0].status, sink[0].headers = "302 Found", f"Location: {where}\r\n"
    found = await Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {}, b"{}")
    assert (found.status, sink[0].connections) == (302, 1)


async def test_who_does_not_answer_is_left(sink: tuple[Sink, SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds; here after a fifth of one."""
    monkeypatch.setattr(egress, "WITHIN_S", 0.2)
    sink[0].seconds = 5
    with pytest.raises(DeliveryFailed, match="did not answer"):
        await Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {}, b"{}")


async def test_of_an_endless_answer_no_more_is_read_than_a_head(sink: tuple[Sink, SSLContext]) -> None:
    """64 KB without an end of headers is no answer."""
    sink[0].answer = b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 200_000
    with pytest.raises(DeliveryFailed, match="HTTP"):
        await asyncio.wait_for(Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {}, b"{}"), 5)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 2\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_what_is_no_answer_is_a_failure(answer: bytes, sink: tuple[Sink, SSLContext]) -> None:
    """It is tried again."""
    sink[0].answer = answer
    with pytest.raises(DeliveryFailed) as failed:
        await Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {}, b"{}")
    assert not failed.value.is_permanent


async def test_a_certificate_nobody_knows_is_not_believed(sink: tuple[Sink, SSLContext]) -> None:
    """In the house too."""
    with pytest.raises(DeliveryFailed, match="certificate"):
        await Egress(("127.0.0.0/8",)).post(sink[0].url, {}, b"{}")


async def test_a_header_cannot_bring_another(sink: tuple[Sink, SSLContext]) -> None:
    """Nothing with a line end in it is sent."""
    with pytest.raises(DeliveryFailed):
        await Egress(("127.0.0.0/8",), sink[1]).post(sink[0].url, {"webhook-id": "a\r\nx: y"}, b"{}")
    assert sink[0].connections == 0
