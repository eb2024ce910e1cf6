"""The WHATWG's cases of addresses (web-platform-tests, url/resources/urltestdata.json): each is read as browsers do, or
not at all."""

import asyncio
import json
from pathlib import Path
from typing import Any

from opsmon.notify import egress
from opsmon.notify.egress import Egress
from opsmon.notify.ports import DeliveryFailed


def urls(path: Path) -> bool:
    """Print how many cases opsmon refuses and takes, and each that it takes for another host or port than browsers."""
    found = asyncio.run(_look(path))
    print(f"urls: {found['refused']} refused, {found['same']} read the same, {len(found['otherwise'])} otherwise")
    for one in found["otherwise"]:
        print(f"  {one}")
    return not found["otherwise"] and found["refused"] + found["same"] > 0


async def _look(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"refused": 0, "same": 0, "otherwise": []}
    for case in (one for one in json.loads(path.read_text()) if isinstance(one, dict)):
        if not await _is_asked_for(case["input"]):
            found["refused"] += 1
            continue
        host, port, _ = egress._parts(case["input"])
        read = [case.get(part, "").strip("[]") for part in ("protocol", "hostname", "port")]
        if read in (["https:", host, str(port)], ["https:", host, "" if port == 443 else "?"]):
            found["same"] += 1
        else:
            found["otherwise"].append((case["input"], host, port, read))
    return found


async def _is_asked_for(url: str) -> bool:
    """Whether the host of an address would be looked up. Every name is said to be this machine: nothing is sent."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    try:
        await Egress(resolve=resolve).post(url, {}, b"{}")
    except DeliveryFailed:
        return bool(asked)
    raise AssertionError(f"{url!r} led to this machine")
