"""What a plain HTML form sends: a few short texts, bounded in number, size and time."""

from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from opsmon.web.bodies import ClientGone, read_body
from opsmon.web.languages import N_

MOST_FIELDS = 50
DEADLINE_S = 5.0
_TYPE = b"application/x-www-form-urlencoded"
_WITH_FILE = b"multipart/form-data"
_SENT_AS = {_TYPE: N_("This is sent as a form: application/x-www-form-urlencoded."),
            _WITH_FILE: N_("This is sent as a form: multipart/form-data.")}


async def read_form(request: Request, limit: int = 64 * 1024) -> dict[str, str]:
    """The fields of a form of at most `limit` bytes; of several of one name the last. Lines end with a newline alone.

    Raises HTTPException with a sentence for what is no such form.
    """
    body = await _body(request, _TYPE, limit)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise HTTPException(400, N_("This form cannot be read.")) from None
    return {name: value.replace("\r\n", "\n") for name, value in fields}


async def read_file(request: Request, name: str, limit: int = 256 * 1024) -> bytes:
    """The file of a form that sends one, of at most `limit` bytes all told; b'' when none was chosen.

    Raises HTTPException with a sentence for what is no such form.
    """
    body = await _body(request, _WITH_FILE, limit)
    kind = dict(request.scope["headers"])[b"content-type"]
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == name:
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise HTTPException(400, N_("This form holds no file."))


async def _body(request: Request, kind: bytes, limit: int) -> bytes:
    headers = dict(request.scope["headers"])
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != kind:
        raise HTTPException(415, _SENT_AS[kind])
    try:
        body = await read_body(headers, request.receive, limit, DEADLINE_S)
    except (ClientGone, TimeoutError):
        raise HTTPException(408, N_("The form did not arrive in 5 s.")) from None
    if body is None:
        raise HTTPException(413, f"The form is over the limit of {limit} bytes.")
    return body
