"""Make an append-only file readable again whose end a crash has spoilt.

A server reads over a torn last command by itself. It refuses a tail of zeros, which file systems leave
after a power cut (measured: 4 KiB of them stop Valkey 9.1.2), or of rubbish. The checker that is built into
the server binary cuts there; we look first, keep a copy, and leave the decision to a person when the
damage is in the middle, for then a cut would take events that were promised.
"""

import logging
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsmon.clock import Clock, SystemClock
from opsmon.core.errors import StoreStartError
from opsmon.store.server_binary import ServerBinary

log = logging.getLogger(__name__)

# What is written but not yet promised is at most one turn of the server's loop: kilobytes.
LONGEST_CUT_BYTES = 1024**2
_ANALYZED = re.compile(rb"size=(\d+), ok_up_to=(\d+),.*diff=(\d+)")
_MANIFEST_LINE = re.compile(r"^file (.+) seq (\d+) type i$")
_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n")
_COMPLAINT = b"reading the append only file"
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class HealReport:
    """What was cut from which file, bytes, and where the copy of everything as it was lies."""

    file: Path
    cut_bytes: int
    kept_bytes: int
    backup: Path


def is_damage(server_log: bytes) -> bool:
    """Say whether the log of a failed start complains about the append-only file."""
    return _COMPLAINT in server_log


def heal_aof(store_dir: Path, binary: ServerBinary, clock: Clock | None = None) -> HealReport | None:
    """Back up, then cut the newest append-only file after its last whole command.

    None when that file is whole. Raises StoreStartError when it must not or cannot be cut. Safe to repeat:
    a whole file is neither copied nor changed.
    """
    newest = newest_incr_file(store_dir / "appendonlydir")
    if newest is None:
        return None
    kept_bytes, cut_bytes = _damage(newest, binary)
    if cut_bytes == 0:
        return None
    if not _is_crash_tail(newest, kept_bytes, cut_bytes):
        raise StoreStartError(
            f"{newest} is damaged at byte {kept_bytes}, and of the {cut_bytes} bytes behind that some may be "
            f"events that were promised. Restore a backup of {store_dir}, or copy it and accept the loss with "
            f"`(exec -a {_checker(binary)} {binary.path} --fix {newest})` in bash."
        )
    backup = _back_up(store_dir, clock or SystemClock())
    _check(newest, binary, "--fix")
    report = HealReport(newest, cut_bytes, kept_bytes, backup)
    log.error("The store's file %s had a spoilt end. Cut %d bytes, kept %d; all as it was is in %s",
              newest, cut_bytes, kept_bytes, backup)
    return report


def newest_incr_file(folder: Path) -> Path | None:
    """Read the manifest for the append-only file that was written last; None when it tells none."""
    try:
        lines = (folder / "appendonly.aof.manifest").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    matches = [match for line in lines if (match := _MANIFEST_LINE.match(line.strip("\0")))]
    return folder / max(matches, key=lambda match: int(match[2]))[1] if matches else None


def _damage(file: Path, binary: ServerBinary) -> tuple[int, int]:
    if file.stat().st_size == 0:
        return 0, 0
    match = _ANALYZED.search(_check(file, binary))
    if not match:
        raise StoreStartError(f"{file} could not be checked by {binary.path}.")
    return int(match[2]), int(match[3])


def _check(file: Path, binary: ServerBinary, *options: str) -> bytes:
    # The server turns into its checker by the name it is called with.
    try:
        return subprocess.run(  # noqa: S603 - the server we run anyway
            [_checker(binary), *options, str(file)], executable=binary.path, input=b"y\n",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_TIMEOUT_S,
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreStartError(f"{file} could not be checked: {error}.") from error


def _checker(binary: ServerBinary) -> str:
    return f"{binary.name}-check-aof"


def _is_crash_tail(file: Path, start: int, length: int) -> bool:
    """Whether what would be cut is what a crash leaves: zeros, or a short rest with no command behind it.

    A command that stands whole behind the damage may have been promised: that is for a person to decide.
    """
    with file.open("rb") as opened:
        opened.seek(start)
        if length > LONGEST_CUT_BYTES:
            return all(not any(block) for block in iter(lambda: opened.read(1 << 16), b""))
        return not _COMMAND.search(opened.read(), 1)


def _back_up(store_dir: Path, clock: Clock) -> Path:
    made = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    backup = store_dir / f"backup-{made:%Y%m%dT%H%M%S.%fZ}"
    try:
        shutil.copytree(store_dir / "appendonlydir", backup / "appendonlydir")
    except (OSError, shutil.Error) as error:
        # Most likely the disk is full: a new part of a copy at each start would not make it better.
        shutil.rmtree(backup, ignore_errors=True)
        raise StoreStartError(f"{store_dir} needs repair, but cannot be copied first: {error}.") from error
    return backup
