"""The long forms: python -m tests.attacks {slow,login,urls,all} [--connections N] [--seconds N] [--guesses N]
[--file F]."""

import argparse
import sys
from pathlib import Path

from tests.attacks.login import login
from tests.attacks.slow import slow
from tests.attacks.urls import urls


def main() -> int:
    """Run what is named; 0 when everything came out right."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("name", choices=["slow", "login", "urls", "all"])
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--guesses", type=int, default=10_000)
    parser.add_argument("--file", type=Path, help="the WHATWG's urltestdata.json, for urls")
    args = parser.parse_args()
    done = []
    if args.name in ("slow", "all"):
        done.append(slow(args.connections, args.seconds))
    if args.name in ("login", "all"):
        done.append(login(args.guesses))
    if args.name == "urls" and args.file is None:
        parser.error("urls wants --file: web-platform-tests, url/resources/urltestdata.json")
    if args.file is not None:
        done.append(urls(args.file))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
