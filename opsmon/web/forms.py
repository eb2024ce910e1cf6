"""What a plain HTML form sends: a few short texts, or a file, bounded in number, size and time."""

from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from opsmon.core.said import Said
from opsmon.web.bodies import ClientGone, read_body
from opsmon.web.doors import MOST_BYTES
from opsmon.web.languages import N_

MOST_FIELDS = 50
DEADLINE_S = 5.0
FIELDS, WITH_FILE = b"application/x-www-form-urlencoded", b"multipart/form-data"
_SENT_AS = {FIELDS: N_("This is sent as a form: application/x-www-form-urlencoded."),
            WITH_FILE: N_("This is sent as a form: multipart/form-data.")}
# The field that shows who made a form; nobody behind that reads it.
SEAL = "csrf"
# In a request's scope: the body of its form, once it was read.
_BODY = "opsmon.form"
# The rest of such a form is not read: the connection cannot be used again.
_CLOSE = {"connection": "close"}


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form of at most as many bytes as its door takes; of several of one name the last. Lines end with
    a newline alone. May be repeated.

    Raises HTTPException with a sentence for what is no such form.

    Threat: a form too large, or with too many fields (CWE-770).
    """
    return {name: value.replace("\r\n", "\n") for name, value in (await _fields(request)).items() if name != SEAL}


async def _fields(request: Request) -> dict[str, str]:
    body = await _body(request, FIELDS)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:  # UnicodeDecodeError is one
        raise HTTPException(400, N_("This form cannot be read.")) from None


async def read_file(request: Request, name: str) -> bytes:
    """The file of a form that sends one, of at most as many bytes all told as its door takes; b'' when none was
    chosen. May be repeated.

    Raises HTTPException with a sentence for what is no such form.

    Threat: a file too large, or of many parts (CWE-770).
    """
    found = (await _parts(request)).get(name)
    if found is None:
        raise HTTPException(400, N_("This form holds no file."))
    return found


async def read_seal(request: Request) -> str:
    """What a form of either kind shows, '' without it. Raises HTTPException for what is neither."""
    if type_of(request.scope) == WITH_FILE:
        return (await _parts(request)).get(SEAL, b"").decode("utf-8", "replace")
    return (await _fields(request)).get(SEAL, "")


def type_of(scope: Scope) -> bytes:
    """What a body is said to be, without what is said of it beside that."""
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


async def _parts(request: Request) -> dict[str, bytes]:
    body = await _body(request, WITH_FILE)
    kind = dict(request.scope["headers"])[b"content-type"]
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
    parts = message.iter_parts() if isinstance(message, EmailMessage) and message.is_multipart() else ()
    found: dict[str, bytes] = {}
    for part in parts:
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        found.setdefault(str(name), content if isinstance(content, bytes) else b"")
    return found


async def _body(request: Request, kind: bytes) -> bytes:
    scope = request.scope
    if type_of(scope) != kind:
        raise HTTPException(415, _SENT_AS[kind])
    if _BODY in scope:
        return bytes(scope[_BODY])
    limit: int = scope[MOST_BYTES]
    try:
        body = await read_body(dict(scope["headers"]), request.receive, limit, DEADLINE_S)
    except (ClientGone, TimeoutError):
        raise HTTPException(408, N_("The form did not arrive in 5 s."), _CLOSE) from None
    if body is None:
        raise HTTPException(413, Said("The form is over the limit of %(limit)s bytes.", limit=limit), _CLOSE)
    scope[_BODY] = body
    return body
