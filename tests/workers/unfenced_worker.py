"""A worker with its protection switched off, for the control of the kill tests: python unfenced_worker.py HOW …

`unfenced` applies entries that are no longer pending; `ack-later` counts first and acknowledges in a
step of its own, as a worker without the commit script would.
"""

import asyncio
import sys

from opsmon.__main__ import main
from opsmon.store import scripts
from opsmon.store.scripts import Commit, Refusal, Scripts

FENCE = "check_pending(KEYS[1], commit.group, commit.ids)\nif"
ACK = "if #commit.ids > 0 then redis.call('XACK', KEYS[1], commit.group, unpack(commit.ids)) end"


def without(line: str) -> None:
    """Take a line out of commit.lua."""
    whole = scripts.source

    def spoilt(name: str) -> str:
        text = whole(name)
        assert name != "commit" or text.count(line) == 1, "commit.lua no longer has the line this test removes"
        return text.replace(line, "if" if line == FENCE else "") if name == "commit" else text

    scripts.source = spoilt


def acknowledge_later() -> None:
    """Put a step between counting and acknowledging."""
    commit = Scripts.commit

    async def then_acknowledge(self: Scripts, batch: Commit) -> Refusal:
        refusal = await commit(self, batch)
        if not refusal and batch.entry_ids:
            if len(batch.entry_ids) > 1:  # replays, which come one by one, need not take all day
                name = sys.argv[sys.argv.index("--name") + 1]
                await self._commit.registered_client.set(self._keys.note(f"counted:{name}"), "1", px=400)
                await asyncio.sleep(0.5)
            await self._commit.registered_client.xack(
                batch.stream or self._keys.events, batch.group, *batch.entry_ids)
        return refusal

    Scripts.commit = then_acknowledge


if __name__ == "__main__":
    without({"unfenced": FENCE, "ack-later": ACK}[sys.argv[1]])
    if sys.argv[1] == "ack-later":
        acknowledge_later()
    sys.exit(main(["worker", *sys.argv[2:]]))
