"""Programs put, read and take away rules with a token, and ask what is open."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.app.worker import evaluator
from opsmon.clock import ManualClock
from opsmon.core.access import Sight
from opsmon.core.alerting.built_in import BUILT_IN
from opsmon.core.alerting.life import new_alert
from opsmon.core.alerting.records import MOST_RULES, dump_rule
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.core.kpis import BUILT_IN as BUILT_IN_KPIS
from opsmon.settings import Settings
from opsmon.store.alerts.alert_queries import AlertBook
from opsmon.store.alerts.alert_store import Stored
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.connection import Reader
from opsmon.web.alerts.alerts_api import alert_json
from opsmon.web.alerts.words import AlertWords
from tests.conftest import NOW_MS
from tests.http import Answer, request, sealed
from tests.line import Line, open_line
from tests.web.accounts.accounts import program, signed_in
from tests.web.accounts.people import deeds
from tests.web.alerts.site import KEYS, MANY, RICH, fired, keep, orders
from tests.web.alerts.test_far import WORDING

pytestmark = pytest.mark.anyio

MANY_ORDERS: dict[str, Any] = {"title": "Many orders", "about": "orders-today", "severity": "critical",
                               "condition": {"kind": "limit", "limit": 2}}
AT = "/api/rules/many-orders"


async def sent(line: Line, method: str, path: str = AT, told: object = None, *, scopes: tuple[str, ...] = ("rules",),
               **headers: str) -> Answer:
    """As a program with a token asks: no page, no cookie."""
    body = told if isinstance(told, bytes) else orjson.dumps(told) if told is not None else b""
    kind = {"content-type": "application/json"} if body else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(line.port, method, path, body, {
        "authorization": await program(line.store, NOW_MS, scopes), **kind, **named})


async def rules(line: Line) -> dict[str, Rule]:
    """As they are kept."""
    return await all_rules(Reader(line.store), KEYS)


async def test_a_rule_put_by_a_token_fires(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Seen through the evaluator, and told to programs that read numbers."""
    await keep(line.store)
    made = await sent(line, "PUT", told={**MANY_ORDERS, "for_ms": 0})
    await orders(line, 1, 2, 3)
    await evaluator(settings, line.store, clock).round()
    told = await sent(line, "GET", "/api/alerts", scopes=("numbers",))
    assert (made.status, made.headers["location"], told.status) == (201, AT, 200)
    (alert,) = told.json["alerts"]
    assert {name: alert[name] for name in alert if name not in ("id", "text")} == {
        "rule": "many-orders", "title": "Many orders", "severity": "critical", "state": "firing", "standing": "open",
        "since_ms": NOW_MS, "value": 3, "limit": 2, "labels": {}, "acknowledged_by": None, "assigned_to": None}


async def test_a_rule_is_read_as_it_was_put_with_its_version(line: Line) -> None:
    """All its fields, those left out as they are then; the ETag is the version."""
    made, read = await sent(line, "PUT", told=MANY_ORDERS), await sent(line, "GET")
    assert read.json == {
        **dump_rule(Rule("many-orders", "Many orders", "orders-today", Limit(2), "critical")), "is_built_in": False,
        "is_fixed": False, "version": made.json["version"]}
    assert (made.json, made.headers["etag"]) == (read.json, read.headers["etag"])
    assert read.headers["etag"] == f'"{read.json["version"]}"'
    assert (await sent(line, "GET", if_none_match=read.headers["etag"])).status == 304


async def test_all_rules_are_listed_with_where_they_come_from(
        settings: Settings, clock: ManualClock, store: Redis) -> None:
    """Those that come with opsmon, those of the file, and those that were made."""
    own = Rule("from-file", "From the file", "orders-today", Limit(4))
    async with open_line(replace(settings, rules=(own,)), clock, store, b"a-secret-of-the-shop") as line:
        await sent(line, "PUT", told=MANY_ORDERS)
        found = {one["id"]: one for one in (await sent(line, "GET", "/api/rules")).json["rules"]}
    assert set(found) == {*(rule.id for rule in BUILT_IN), "from-file", "many-orders"}
    assert [name for name, one in found.items() if one["is_fixed"]] == ["from-file"]
    assert {name for name, one in found.items() if one["is_built_in"]} == {rule.id for rule in BUILT_IN}


async def test_what_was_read_may_be_sent_back_and_is_the_same_then(line: Line) -> None:
    """Of every rule that comes with opsmon: nothing is written, and nothing changed."""
    for one in (await sent(line, "GET", "/api/rules")).json["rules"]:
        answer = await sent(line, "PUT", f"/api/rules/{one['id']}", one)
        assert (answer.status, answer.json) == (200, one)
    assert (await line.store.hlen(KEYS.rules), await deeds(line)) == (0, [])


@pytest.mark.parametrize(("told", "field", "said"), [
    ({"title": ""}, "title", "give the rule a name"),
    ({"about": "moon"}, "about", "there is no number called moon"),
    ({"condition": {"kind": "limit"}}, "limit", "say the limit"),
    ({"condition": {"kind": "limit", "limit": "many"}}, "limit", "limit is to be a number"),
    ({"condition": {"kind": "limit", "limit": 2, "is_lowest": "false"}}, "is_lowest",
     "is_lowest is to be true or false"),
    ({"condition": {"kind": "quiet"}, "about": "source:moon"}, "about",
     "name a source, like source:shopify, or sources for all of them"),
    ({"by_row": "no"}, "by_row", "by_row is to be true or false"),
    ({"by_row": True}, "by_row", "this number has no rows"),
    ({"colour": "red"}, "colour", "a rule has no such field"),
    ({"id": "another"}, "id", "the address says many-orders: leave the id out, or send the same")])
async def test_what_is_wrong_is_said_by_field(line: Line, told: dict[str, Any], field: str, said: str) -> None:
    """In one sentence for all and one for each, and nothing is saved."""
    answer = await sent(line, "PUT", told={**MANY_ORDERS, **told})
    assert (answer.status, answer.json) == (422, {
        "error": f"This rule was not saved. {field}: {said}.", "faults": {field: said}})
    assert "many-orders" not in await rules(line)


@pytest.mark.parametrize(("body", "status", "said"), [
    (b"{", 400, "This is no JSON."), (b"\xff", 400, "This is no JSON."), (b'{"title": NaN}', 400, "This is no JSON."),
    (b"[" * 5_000, 400, "This is no JSON."),
    (b"[]", 422, "This rule was not saved. a rule is a table of names and values."),
    (b" " * 65_537, 413, "The rule is over the limit of 65536 bytes.")])
async def test_what_is_no_rule_is_refused_with_a_sentence(line: Line, body: bytes, status: int, said: str) -> None:
    """Whatever it is."""
    answer = await sent(line, "PUT", told=body)
    assert (answer.status, answer.json["error"]) == (status, said)


async def test_a_rule_is_sent_as_json(line: Line) -> None:
    """A form is none."""
    answer = await sent(line, "PUT", told=MANY_ORDERS, content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.json["error"]) == (415, "A rule is sent as JSON: content-type application/json.")


@pytest.mark.parametrize("name", ["Late", "9", "a" * 41, "new", "late%20orders", "%C3%A4"])
async def test_an_id_that_is_none_is_refused(line: Line, name: str) -> None:
    """new is the address of the form."""
    answer = await sent(line, "PUT", f"/api/rules/{name}", MANY_ORDERS)
    assert (answer.status, list(answer.json["faults"])) == (422, ["id"])


async def test_who_changes_what_somebody_else_changed_meanwhile_is_told(line: Line) -> None:
    """By If-Match; with the ETag of now it is done."""
    first = (await sent(line, "PUT", told=MANY_ORDERS)).headers["etag"]
    second = await sent(line, "PUT", told={**MANY_ORDERS, "title": "Very many"}, if_match=first)
    late = await sent(line, "PUT", told={**MANY_ORDERS, "title": "Too many"}, if_match=first)
    gone = await sent(line, "DELETE", if_match=first)
    assert (second.status, late.status, gone.status) == (200, 412, 412)
    assert late.json["error"].startswith("Somebody else changed this rule meanwhile, and nothing was saved.")
    assert (await rules(line))["many-orders"].title == "Very many"
    assert (await sent(line, "DELETE", if_match=second.headers["etag"])).status == 204


async def test_of_many_at_once_one_is_first(line: Line) -> None:
    """Whoever makes it; and of those who read the same, whoever changes it."""
    made = await asyncio.gather(*(sent(line, "PUT", told=MANY_ORDERS, if_none_match="*") for _ in range(6)))
    etag = (await sent(line, "GET")).headers["etag"]
    changed = await asyncio.gather(*(
        sent(line, "PUT", told={**MANY_ORDERS, "title": f"Title {at}"}, if_match=etag) for at in range(6)))
    assert [sorted(one.status for one in found) for found in (made, changed)] == [[201, *5 * [412]], [200, *5 * [412]]]
    (title,) = [one.json["title"] for one in changed if one.status == 200]
    assert ((await rules(line))["many-orders"].title, len(await deeds(line))) == (title, 2)


async def test_one_that_is_to_be_new_is_not_put_in_the_place_of_another(line: Line) -> None:
    """If-None-Match: *; and If-Match makes none."""
    statuses = [(await sent(line, "PUT", told=MANY_ORDERS, **headers)).status for headers in (
        {"if_match": "*"}, {"if_none_match": "*"}, {"if_none_match": "*"}, {"if_match": "*"})]
    assert statuses == [412, 201, 412, 200]


async def test_a_rule_of_the_file_is_changed_there_alone(settings: Settings, clock: ManualClock, store: Redis) -> None:
    """As its page says."""
    own = Rule("many-orders", "From the file", "orders-today", Limit(4))
    async with open_line(replace(settings, rules=(own,)), clock, store, b"a-secret-of-the-shop") as line:
        answers = [await sent(line, "PUT", told=MANY_ORDERS), await sent(line, "DELETE")]
    assert [(one.status, one.json["error"]) for one in answers] == 2 * [
        (409, "This rule stands in opsmon.toml: change it there, and start opsmon again.")]


async def test_there_are_only_so_many(line: Line) -> None:
    """The last ones can still be changed."""
    await keep(line.store, *(replace(MANY, id=f"many-{at}") for at in range(MOST_RULES - len(BUILT_IN))))
    answers = [await sent(line, "PUT", told=MANY_ORDERS), await sent(line, "PUT", "/api/rules/many-1", MANY_ORDERS)]
    assert [one.status for one in answers] == [409, 200]


async def test_a_rule_is_taken_away_and_one_that_comes_with_opsmon_is_as_it_was(line: Line) -> None:
    """Neither can be lost by pressing twice."""
    past_sla = {"title": "Late", "about": "active-orders", "condition": {"kind": "late", "older_ms": 1_000}}
    await sent(line, "PUT", told=MANY_ORDERS)
    changed = await sent(line, "PUT", "/api/rules/past-sla", past_sla)
    statuses = [(await sent(line, "DELETE", path)).status for path in (AT, AT, *2 * ["/api/rules/past-sla"])]
    assert (changed.status, changed.json["is_built_in"], statuses) == (200, True, [204, 404, 204, 204])
    assert list((await rules(line)).values()) == list(BUILT_IN)


async def test_the_audit_names_the_token(line: Line) -> None:
    """What it made, what it changed, and what it took away."""
    await sent(line, "PUT", told=MANY_ORDERS)
    await sent(line, "PUT", told={**MANY_ORDERS, "off_reason": "Stocktaking"})
    await sent(line, "DELETE")
    found = list(reversed(await deeds(line)))
    assert [(one.kind, one.who, one.what, one.about) for one in found] == [
        ("program", "Sheet", what, "many-orders") for what in ("rule.saved", "rule.saved", "rule.remove")]
    assert found[1].changes == (("off_reason", "", "Stocktaking"),)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("scopes", [("numbers", "money"), ("metrics",), ()])
async def test_a_token_without_the_scope_may_not(line: Line, method: str, scopes: tuple[str, ...]) -> None:
    """Nothing is read, and nothing written."""
    answer = await sent(line, method, told=MANY_ORDERS, scopes=scopes)
    assert (answer.status, "many-orders" in await rules(line)) == (403, False)
    assert "managers, admins, and programs with the scope rules" in answer.json["error"]


async def test_the_scope_opens_nothing_else(line: Line) -> None:
    """Neither numbers nor the forms of people; nor does a token speak for a form."""
    asked = {(method, path): (await sent(line, method, path, told=MANY_ORDERS)).status for method, path in (
        ("GET", "/api/kpis"), ("GET", "/api/alerts"), ("POST", "/rules"), ("POST", "/login"), ("POST", "/logout"))}
    assert set(asked.values()) == {403}


@pytest.mark.parametrize("headers", [
    {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"origin": "https://evil.example"},
    {"origin": "null"}, {"sec_fetch_site": "same-origin", "x_csrf": ""}])
async def test_a_page_that_has_a_token_is_a_page_still(line: Line, headers: dict[str, str]) -> None:
    """What a browser sends is judged as all of it is."""
    answer = await sent(line, "PUT", told=MANY_ORDERS, **headers)
    assert (answer.status, "many-orders" in await rules(line)) == (403, False)


@pytest.mark.parametrize("headers", [
    {}, {"sec-fetch-site": "same-origin", "x-csrf": ""}, {"sec-fetch-site": "same-origin", "x-csrf": "0" * 64},
    {"sec-fetch-site": "cross-site"}, {"authorization": "Basic eDp5"}])
async def test_a_session_needs_what_its_forms_need(line: Line, headers: dict[str, str]) -> None:
    """A page of ours and its token; a manager then may."""
    own = {"cookie": await signed_in(line.store, "manager", NOW_MS), "content-type": "application/json"}
    refused = await request(line.port, "PUT", AT, orjson.dumps(MANY_ORDERS), {**own, **headers})
    page = sealed({**own, "sec-fetch-site": "same-origin"})
    assert (refused.status, "many-orders" in await rules(line)) == (403, False)
    assert (await request(line.port, "PUT", AT, orjson.dumps(MANY_ORDERS), page)).status == 201


async def test_a_wrong_token_beside_a_cookie_is_nobody(line: Line) -> None:
    """A cookie that goes along does not speak for it."""
    own = {"cookie": await signed_in(line.store, "admin", NOW_MS), "authorization": "Bearer of-somebody-else"}
    answer = await request(line.port, "PUT", AT, orjson.dumps(MANY_ORDERS), {**own, "content-type": "application/json"})
    assert (answer.status, "many-orders" in await rules(line)) == (403, False)


async def test_before_anybody_has_an_account_no_token_is_one(line: Line) -> None:
    """Any page that this machine's browser shows could send it."""
    answer = await request(line.port, "PUT", AT, orjson.dumps(MANY_ORDERS), {
        "authorization": "Bearer anything", "content-type": "application/json"})
    assert (answer.status, "many-orders" in await rules(line)) == (403, False)


# What is open


@pytest.mark.parametrize(("scopes", "value", "limit"), [
    (("numbers",), None, None), (("numbers", "money"), 14_970, 1_000)])
async def test_amounts_are_told_to_who_may_see_them(
        line: Line, settings: Settings, clock: ManualClock, scopes: tuple[str, ...], value: float | None,
        limit: float | None) -> None:
    """That something is wrong, to all."""
    await fired(line, settings, clock, replace(RICH, per_hour_minor=5))
    (alert,) = (await sent(line, "GET", "/api/alerts", scopes=scopes)).json["alerts"]
    assert (alert["title"], alert["value"], alert["limit"], bool(alert["text"])) == (
        "Much sold", value, limit, value is not None)


async def test_while_nothing_is_wrong_nothing_is_open(line: Line) -> None:
    """As of now."""
    assert (await sent(line, "GET", "/api/alerts", scopes=("numbers",))).json == {"as_of_ms": NOW_MS, "alerts": []}


@pytest.mark.parametrize(("sees", "labels", "title"), [
    (frozenset[Sight](), {}, "Slow"), (frozenset[Sight](("names",)), {"row": "Ana"}, "Slow: Ana")])
def test_names_are_told_to_who_may_see_them(sees: frozenset[Sight], labels: dict[str, str], title: str) -> None:
    """Neither as a label nor in the title to others."""
    rule = Rule("slow", "Slow", "scans-by-person", Limit(5, is_lowest=True), by_row=True)
    stored = Stored(1, replace(new_alert("slow", (("row", "Ana"),)), state="firing", value=3.0, limit=5.0))
    words = AlertWords(WORDING, BUILT_IN_KPIS, "EUR", sees)
    told = alert_json(AlertBook((stored,), {"slow": rule}, ()), stored, words, 0)
    assert (told["labels"], told["title"], told["value"]) == (labels, title, 3.0)
