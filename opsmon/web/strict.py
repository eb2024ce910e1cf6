"""What of a request's head is refused although the parser lets it pass.

Threats: two readers of one request who disagree where it ends or for whom it is (request smuggling, CWE-444; RFC 9112
3.2, 6.1), and bodies that grow while they are unpacked (CWE-409).
"""

import re
from collections.abc import Sequence

Head = Sequence[tuple[bytes, bytes]]
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,253})(:[0-9]{1,5})?")
_ONCE = (b"host", b"content-length", b"transfer-encoding")
_NO_HOST = "The request has to name one host, such as Host: 127.0.0.1:8000.\n"
_TWICE = "The length of this body is said in two ways.\n"
_ADDRESS = "The address has to begin with a slash, without a zero byte in it.\n"
_PACKED = "Send the body as it is: nothing packed (Content-Encoding) is taken.\n"


def fault(version: str, url: bytes, headers: Head) -> tuple[int, str] | None:
    """What is wrong with a request: a status and a sentence; None when nothing is. Names are small.

    Threat: request smuggling (CWE-444; RFC 9112, 11.2).
    """
    seen = [name for name, _ in headers if name in _ONCE]
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts) or not all(map(_HOST.fullmatch, hosts)):
        return 400, _NO_HOST
    if len(seen) > len(hosts) + 1 or (version == "1.0" and b"transfer-encoding" in seen):
        return 400, _TWICE
    if not url.startswith(b"/") or b"%00" in url:
        return 400, _ADDRESS
    if any(name == b"content-encoding" and value.lower() not in (b"", b"identity") for name, value in headers):
        return 415, _PACKED
    return None
