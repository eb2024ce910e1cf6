"""`python -m tests.bench`: the figures of README, measured on this machine. Takes about ten minutes.

Each figure is the median of three rounds. The generator is a process of its own.
"""

import platform
import subprocess
import sys
from pathlib import Path

from opsmon.store.server_binary import find_server
from tests.bench import (
    alerting,
    baselines,
    collect,
    counted,
    engine,
    fanout,
    flood,
    history,
    ingest,
    ndjson,
    pages,
    phone,
    reads,
    rest,
    screens,
    spool,
)

PARTS = {"ingest": ingest.main, "ndjson": ndjson.main, "counted": counted.main, "spool": spool.main,
         "collect": collect.main, "engine": engine.main, "reads": reads.main, "screens": screens.main,
         "fanout": fanout.main, "flood": flood.main, "pages": pages.main, "rest": rest.main,
         "phone": phone.main, "baselines": baselines.main, "alerting": alerting.main,
         "history": history.main}


def main(names: list[str]) -> int:
    """Run the named parts, or all."""
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
        return 2
    print(about())
    for name in names or PARTS:
        print(f"\n## {name}", flush=True)
        PARTS[name]()
    return 0


def about() -> str:
    """Machine, versions and commit, so that figures can be compared."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    server = find_server()
    version = ".".join(map(str, server.version))
    processor = models[0] if models else platform.processor()
    return (f"{len(models)} × {processor}, Python {platform.python_version()}, "
            f"{server.name} {version}, commit {commit or 'unknown'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
