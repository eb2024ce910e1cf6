"""A backup as one file: tar.gz of manifest.json and of the keys, which can be checked before anything is touched."""

import gzip
import os
import struct
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple

import orjson

from opsmon.core.errors import OpsmonError

# Of the file's own shape; a store's is in meta.py.
FORMAT = "opsmon-backup-1"
_HEAD = struct.Struct(">HQQ")
_AT_ONCE = 1024 * 1024
_LONGEST_MANIFEST = 1024 * 1024
_BROKEN = (tarfile.TarError, EOFError, zlib.error, struct.error, ValueError, TypeError, KeyError, OSError)


class Record(NamedTuple):
    """One key: its name, when it expires (epoch ms, 0 for never), and its value as the store's DUMP gives it."""

    name: bytes
    expires_ms: int
    dump: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `kinds` is how many keys of each kind it holds, `size` and `sha256` are of all of them."""

    format: str
    site: str
    schema: int
    generation: int
    opsmon: str
    made_ms: int
    kinds: dict[str, int]
    size: int
    sha256: str

    @property
    def count(self) -> int:
        """How many keys there are."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a backup comes from: the site, its schema, the generation of its panes, the version of opsmon, when
    (epoch ms)."""

    site: str
    schema: int
    generation: int
    opsmon: str
    made_ms: int


async def write_backup(path: Path, origin: Origin, records: AsyncGenerator[Record, None]) -> Manifest:
    """Write a backup beside `path` and give it that name when it is whole; nothing is ever overwritten.

    Mode 0600: it holds customers' ids and hashes of passwords (threat: readable copies, CWE-732). Raises OpsmonError.
    """
    try:
        with _aside(path) as keys, _aside(path) as packed:
            manifest = await _write_keys(keys, origin, records)
            with _packing(packed) as packer, tarfile.open(fileobj=packer, mode="w") as tar:
                _add(tar, "manifest.json", orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
                _add_file(tar, "keys", keys, manifest)
            packed.flush()
            os.fsync(packed.fileno())
            os.link(packed.name, path)
    except FileExistsError:
        raise OpsmonError(f"{path} is there already. Give the backup another name.") from None
    except OSError as error:
        raise OpsmonError(f"{path} cannot be written: {error.strerror}.") from error
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Read the whole file and check it. Raises OpsmonError when a byte of it is not as it was written."""
    try:
        _read_through(path)
        with tarfile.open(path, "r:gz") as tar:
            manifest = _manifest(tar)
            digest, kinds, size = sha256(), Counter[str](), 0
            for record in _read(_member(tar, "keys")):
                digest.update(_packed(record))
                kinds[kind_of(record.name)] += 1
                size += len(record.dump)
    except FileNotFoundError:
        raise OpsmonError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise OpsmonError(f"{path} may not be read by us.") from None
    except _BROKEN as error:
        raise OpsmonError(f"{path} is no backup of opsmon, or it is damaged. Nothing was restored.") from error
    if (digest.hexdigest(), dict(kinds), size) != (manifest.sha256, manifest.kinds, manifest.size):
        raise OpsmonError(f"{path} is damaged: what it holds is not what was written. Nothing was restored.")
    return manifest


def read_records(path: Path) -> Iterator[Record]:
    """The keys of a backup that was checked."""
    with tarfile.open(path, "r:gz") as tar:
        yield from _read(_member(tar, "keys"))


def kind_of(name: bytes) -> str:
    """Of which kind a key is: `pane` of `{main}:pane:3:orders:d:2026-11`."""
    return name.decode(errors="replace").partition("}:")[2].partition(":")[0]


@contextmanager
def _aside(path: Path) -> Iterator[IO[bytes]]:
    """A file beside another, for our eyes only, which goes when it is closed."""
    with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=".opsmon-backup-") as opened:
        yield opened


def _packing(file: IO[bytes]) -> gzip.GzipFile:
    """gzip with no name and no time in its head (RFC 1952, 2.3): there, a byte could be lost unseen."""
    return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)


async def _write_keys(file: IO[bytes], origin: Origin, records: AsyncGenerator[Record, None]) -> Manifest:
    digest, kinds, size = sha256(), Counter[str](), 0
    async with aclosing(records):
        async for record in records:
            packed = _packed(record)
            file.write(packed)
            digest.update(packed)
            kinds[kind_of(record.name)] += 1
            size += len(record.dump)
    return Manifest(FORMAT, **asdict(origin), kinds=dict(sorted(kinds.items())), size=size, sha256=digest.hexdigest())


def _packed(record: Record) -> bytes:
    return _HEAD.pack(len(record.name), record.expires_ms, len(record.dump)) + record.name + record.dump


def _read(file: IO[bytes]) -> Iterator[Record]:
    while head := file.read(_HEAD.size):
        name_bytes, expires_ms, dump_bytes = _HEAD.unpack(head)
        name, dump = file.read(name_bytes), file.read(dump_bytes)
        if (len(name), len(dump)) != (name_bytes, dump_bytes):
            raise EOFError
        yield Record(name, expires_ms, dump)


def _read_through(path: Path) -> None:
    """To the very end, where the packing has its own checksum. Raises one of _BROKEN."""
    with gzip.open(path) as packed:
        while packed.read(_AT_ONCE):
            pass


def _add(tar: tarfile.TarFile, name: str, text: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(text)
        _add_file(tar, name, file, None)


def _add_file(tar: tarfile.TarFile, name: str, file: IO[bytes], manifest: Manifest | None) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = file.tell(), 0o600
    about.mtime = manifest.made_ms // 1000 if manifest else 0
    file.seek(0)
    tar.addfile(about, file)


def _manifest(tar: tarfile.TarFile) -> Manifest:
    read: Mapping[str, object] = orjson.loads(_member(tar, "manifest.json").read(_LONGEST_MANIFEST))
    if read.get("format") != FORMAT:
        raise ValueError
    return Manifest(**read)  # type: ignore[arg-type]


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise ValueError
    return found
