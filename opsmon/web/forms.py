"""What a plain HTML form sends: a few short texts, bounded in number, size and time."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from opsmon.web.bodies import ClientGone, read_body

MOST_FIELDS = 50
DEADLINE_S = 5.0
_TYPE = b"application/x-www-form-urlencoded"


async def read_form(request: Request, limit: int = 64 * 1024) -> dict[str, str]:
    """The fields of a form of at most `limit` bytes; of several of one name the last. Lines end with a newline alone.

    Raises HTTPException with a sentence for what is no such form.
    """
    headers = dict(request.scope["headers"])
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _TYPE:
        raise HTTPException(415, "This is sent as a form: application/x-www-form-urlencoded.")
    try:
        body = await read_body(headers, request.receive, limit, DEADLINE_S)
    except (ClientGone, TimeoutError):
        raise HTTPException(408, "The form did not arrive in 5 s.") from None
    if body is None:
        raise HTTPException(413, f"The form is over the limit of {limit} bytes.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise HTTPException(400, "This form cannot be read.") from None
    return {name: value.replace("\r\n", "\n") for name, value in fields}
