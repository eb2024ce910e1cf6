"""The long forms: python -m tests.attacks {slow,login,all} [--connections N] [--seconds N] [--guesses N]."""

import argparse
import sys

from tests.attacks.login import login
from tests.attacks.slow import slow


def main() -> int:
    """Run what is named; 0 when everything came out right."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("name", choices=["slow", "login", "all"])
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--guesses", type=int, default=10_000)
    args = parser.parse_args()
    done = []
    if args.name in ("slow", "all"):
        done.append(slow(args.connections, args.seconds))
    if args.name in ("login", "all"):
        done.append(login(args.guesses))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
