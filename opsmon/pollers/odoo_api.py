"""Odoo's two external APIs: JSON-2 of Odoo 19 and later, and JSON-RPC of those before (gone with Odoo 22).

JSON-2 is `POST /json/2/<model>/<method>` with named arguments, a bearer key and the database in a header;
JSON-RPC is `POST /jsonrpc`, a log-in and execute_kw. Both answer records alike: false for empty, [id, name] for
many2one, times in UTC without a zone. Source: Odoo's documentation, "External JSON-2 API" and "External API".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from opsmon.core.errors import OpsmonError
from opsmon.pollers.http import Answer, HttpError, JsonClient

Record = dict[str, Any]
Domain = Sequence[Sequence[Any]]


class OdooError(OpsmonError):
    """Odoo did not do it. `is_denied`: it may not be read; `is_absent`: there is no such model in this database."""

    def __init__(self, sentence: str, *, is_denied: bool = False, is_absent: bool = False) -> None:
        super().__init__(sentence)
        self.is_denied, self.is_absent = is_denied, is_absent


class OdooApi(Protocol):
    """What a poller asks. Methods raise OdooError or HttpError, each with a sentence."""

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method of a model, which takes no records."""
        ...


class Json2:
    """Odoo 19 and later: a key alone."""

    def __init__(self, url: str, database: str, key: str) -> None:
        self._where = f"{url} ({database})"
        self._client = JsonClient(url, {"Authorization": f"bearer {key}", "X-Odoo-Database": database})

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method. Raises OdooError or HttpError."""
        answer = await self._client.post(f"/json/2/{model}/{method}", arguments)
        if answer.status == 200:
            return answer.json()
        if answer.status == 401:
            raise OdooError(f"{self._where} does not know this API key: make one in Odoo under Preferences → Account "
                            "Security, and look at the name of the database")
        raise _refusal(model, answer.status, _told(answer))


class JsonRpc:
    """Odoo 18 and older: a user's login, with an API key (14 and later) or a password."""

    def __init__(self, url: str, database: str, user: str, key: str) -> None:
        self._where = f"{url} ({database})"
        self._client, self._database, self._user, self._key = JsonClient(url), database, user, key
        self._uid = 0

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method, logging in before the first. Raises OdooError or HttpError."""
        if not self._uid:
            uid = await self._ask(model, "common", "authenticate", [self._database, self._user, self._key, {}])
            if type(uid) is not int:
                raise OdooError(f"{self._where} does not know the user {self._user} with this key")
            self._uid = uid
        return await self._ask(model, "object", "execute_kw",
                               [self._database, self._uid, self._key, model, method, [], arguments])

    async def _ask(self, model: str, service: str, method: str, args: list[Any]) -> Any:
        answer = await self._client.post("/jsonrpc", {
            "jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": service, "method": method, "args": args}})
        said = answer.json() if answer.status == 200 else None
        if type(said) is not dict:
            raise HttpError(f"{self._where} answered {answer.status}: is that Odoo?", answer.status)
        if "error" in said:
            error = said["error"]
            data = error.get("data") if type(error) is dict else None
            raise _refusal(model, answer.status, data if type(data) is dict else {})
        return said.get("result")


async def fields_of(api: OdooApi, model: str, wanted: Sequence[str]) -> list[str]:
    """Those of the fields that the model has in this database. Raises OdooError or HttpError."""
    found = await api.call(model, "fields_get", allfields=list(wanted), attributes=["type"])
    if type(found) is not dict:
        raise OdooError(f"Odoo did not tell the fields of {model}")
    return [name for name in wanted if name in found]


async def search_read(api: OdooApi, model: str, domain: Domain, fields: Sequence[str], *, order: str, limit: int,
                      offset: int = 0) -> list[Record]:
    """Records of a model, each with its id. Raises OdooError or HttpError."""
    found = await api.call(model, "search_read", domain=list(domain), fields=list(fields), order=order, limit=limit,
                           offset=offset)
    if type(found) is not list or any(type(one) is not dict or "id" not in one for one in found):
        raise OdooError(f"Odoo did not answer with records of {model}")
    return found


def _told(answer: Answer) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except HttpError:
        return {}
    return told if type(told) is dict else {}


def _refusal(model: str, status: int, told: Mapping[str, Any]) -> OdooError:
    name, message = str(told.get("name", "")), " ".join(str(told.get("message", "")).split())[:200]
    if name.endswith("AccessError"):
        return OdooError(f"the key's user may not read {model}", is_denied=True)
    if name.endswith("AccessDenied"):
        return OdooError("Odoo does not know this user with this key")
    if model in message and "exist" in message:
        return OdooError(f"there is no {model} in this database", is_absent=True)
    return OdooError(f"Odoo answered {status} to a question about {model}: {message or name or 'it did not say why'}")
