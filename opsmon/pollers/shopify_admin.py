"""Shopify's Admin API (GraphQL): asked within its cost bucket, its refusals told in a person's words.

Facts: shopify.dev "API limits" (a bucket of points that fills again every second; a query that asks for more
than is there is THROTTLED, one of over 1,000 points is never run), "Protected customer data".
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from opsmon.core.errors import OpsmonError
from opsmon.pollers.http import TIMEOUT_S, Answer, JsonClient

API_VERSION = "2026-01"
# As recorded of a real shop; what the answers say wins.
BUCKET, RESTORED_PER_S = 4_000.0, 200.0
MOST_TRIES = 12
_LONGEST_WAIT_S = 30.0
_SCOPE = re.compile(r"`((?:read|write)_\w+)`")

Data = dict[str, Any]
Sleep = Callable[[float], Awaitable[None]]


class AdminError(OpsmonError):
    """The Admin API refused, or did not answer; the message says what to do."""


class Denied(AdminError):
    """The token may not: a scope is missing, or the app has no access to protected customer data."""


class TooCostly(AdminError):
    """One query asked for more points than any query may: ask for fewer at once."""


@dataclass(slots=True)
class Bucket:
    """The points that are left, as of `at_s` of the loop's clock."""

    available: float = BUCKET
    most: float = BUCKET
    per_s: float = RESTORED_PER_S
    at_s: float = 0.0

    def wait_s(self, points: float, now_s: float) -> float:
        """How long until `points` are there, seconds."""
        left = min(self.most, self.available + (now_s - self.at_s) * self.per_s)
        return max(0.0, (min(points, self.most) - left) / self.per_s)

    def learn(self, status: Mapping[str, Any], now_s: float) -> None:
        """What an answer says of the bucket."""
        self.most = float(status.get("maximumAvailable") or self.most)
        self.per_s = max(1.0, float(status.get("restoreRate") or self.per_s))
        self.available, self.at_s = float(status.get("currentlyAvailable") or 0), now_s


class ShopifyAdmin:
    """One shop's Admin API. `shop` is `name.myshopify.com`, or a http:// address on this machine for trying out.

    Not for several tasks at once: the bucket is one.
    """

    def __init__(self, shop: str, token: str, *, timeout_s: float = TIMEOUT_S, sleep: Sleep = asyncio.sleep) -> None:
        self.base = shop if "://" in shop else f"https://{shop}"
        self.host = urlsplit(self.base).hostname or ""
        self._http = JsonClient(self.base, {"X-Shopify-Access-Token": token}, timeout_s=timeout_s)
        self._sleep = sleep
        self._bucket = Bucket()
        self._costs: dict[str, float] = {}
        self._domain = ""

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Data:
        """Run a query or mutation, waiting for points as long as needed; its data.

        Data that may not be seen come as null beside the others. Raises Denied when nothing may be seen,
        TooCostly, AdminError, HttpError.
        """
        loop = asyncio.get_running_loop()
        for _ in range(MOST_TRIES):
            if wait_s := self._bucket.wait_s(self._costs.get(query, 0.0), loop.time()):
                await self._sleep(min(wait_s, _LONGEST_WAIT_S))
            answer = await self._http.post(f"/admin/api/{API_VERSION}/graphql.json",
                                           {"query": query, "variables": variables or {}})
            if answer.status == 429:
                await self._sleep(min(_retry_after_s(answer), _LONGEST_WAIT_S))
                continue
            told = self._told(answer)
            self._learn(query, told, loop.time())
            if "THROTTLED" not in _codes(told):
                return _data(told)
        raise AdminError(f"{self.host} says again and again that it is asked too often: does another program use this "
                         "token?")

    async def domain(self) -> str:
        """The shop's own name, `name.myshopify.com`: part of every key of its orders. Raises as `ask`."""
        if not self._domain:
            self._domain = str((await self.ask("{ shop { myshopifyDomain } }"))["shop"]["myshopifyDomain"]).lower()
        return self._domain

    async def scopes(self) -> set[str]:
        """What the token may. Raises as `ask`."""
        data = await self.ask("{ currentAppInstallation { accessScopes { handle } } }")
        return {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}

    def _told(self, answer: Answer) -> Data:
        if answer.status in _SENTENCES:
            raise (Denied if answer.status == 403 else AdminError)(_SENTENCES[answer.status].format(shop=self.host))
        if answer.status != 200:
            raise AdminError(f"{self.host} answered {answer.status}: it is asked again later")
        told = answer.json()
        if not isinstance(told, dict):
            raise AdminError(f"{self.host} answered what is no GraphQL")
        return told

    def _learn(self, query: str, told: Data, now_s: float) -> None:
        extensions = told.get("extensions")
        cost = (extensions.get("cost") if isinstance(extensions, dict) else None) or {}
        self._costs[query] = float(cost.get("requestedQueryCost") or 0)
        if isinstance(cost.get("throttleStatus"), dict):
            self._bucket.learn(cost["throttleStatus"], now_s)


_SENTENCES = {
    401: "{shop} does not know this token: set OPSMON_SHOPIFY_TOKEN to the Admin API access token of an app that is "
         "installed in this shop (Settings → Apps → Develop apps → API credentials).",
    402: "{shop} is frozen: its bill is not paid.",
    403: "{shop} refuses this token: its app has no Admin API access there.",
    404: "There is no shop at {shop}, or it has no Admin API of version " + API_VERSION + ".",
    423: "{shop} is locked by Shopify.",
}


def _retry_after_s(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"\d{1,4}(\.\d+)?", text) else 2.0


def _errors(told: Data) -> list[Data]:
    errors = told.get("errors") or []
    if isinstance(errors, str):
        return [{"message": errors}]
    return [error for error in errors if isinstance(error, dict)]


def _code(error: Data) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _codes(told: Data) -> set[str]:
    return {_code(error) for error in _errors(told)}


def _data(told: Data) -> Data:
    errors, data = _errors(told), told.get("data")
    if isinstance(data, dict) and all(_code(error) == "ACCESS_DENIED" for error in errors):
        # One field may be denied and the rest be there; a field of the very top that is denied is all of it.
        if all(data.get(str((error.get("path") or [""])[0])) is not None for error in errors):
            return data
    for error in errors:
        message = str(error.get("message", ""))
        if _code(error) == "ACCESS_DENIED":
            raise Denied(denial(message))
        if _code(error) == "MAX_COST_EXCEEDED":
            raise TooCostly(message)
        raise AdminError(f"Shopify answers: {message[:300]}")
    if not isinstance(data, dict):
        raise AdminError("Shopify answered without data")
    return data


def denial(message: str) -> str:
    """A refusal of Shopify's in words that say what to do: a scope, protected customer data, or as it stands."""
    scope = _SCOPE.search(message)
    if scope:
        return (f"The token lacks the scope {scope[1]}: tick it in the app's Admin API configuration, install the app "
                "again, and set the new token.")
    if "protected" in message.lower() or "not approved" in message:
        return ("The app has no access to protected customer data (orders and customers): request it in the app's "
                "API access settings. An app that was made in the shop's own admin needs no approval, but a plan "
                "that includes it.")
    if "specified topic" in message:
        return "The token lacks the scope of this topic."
    return f"Shopify refuses: {message[:300]}"
