"""Sources known by a token: in `Authorization: Bearer …`, or in the address the delivery came to."""

import hmac
from collections.abc import Mapping, Sequence

from opsmon.sources.base import Rejected, Secret


def refuse_stranger(name: str, tokens: Sequence[Secret], headers: Mapping[bytes, bytes], token: bytes
                    ) -> Rejected | None:
    """Why the sender may not; None for one with a token of the source `name`. Constant time per token.

    A bearer's token goes before `token`, the address's, which intermediaries may have written into their logs.

    Threat: a delivery by somebody who does not know the token (CWE-306).
    """
    given = _bearers(headers) or token
    matched = False
    for known in tokens:
        matched |= hmac.compare_digest(known.value, given)
    if matched:
        return None
    if not tokens:
        return Rejected(401, f"No token is set: put one into secrets of the source {name}.\n", "no_secret")
    if not given:
        return Rejected(401, "The token is missing: it goes into Authorization: Bearer <token>, or to the end of the "
                             "address.\n", "no_token")
    return Rejected(401, f"The token is not one of the secrets of the source {name}.\n", "bad_token")


def check_unbound(secrets: Sequence[Secret]) -> None:
    """Raises ValueError for a secret bound to a shop: deliveries of most senders name none."""
    if any(secret.shop for secret in secrets):
        raise ValueError("a secret cannot be bound to a shop here: expected none of the form shop.example=secret")


def _bearers(headers: Mapping[bytes, bytes]) -> bytes:
    scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
    return given.strip() if scheme.lower() == b"bearer" else b""
