"""The long forms: python -m tests.attacks {slow} [--connections N] [--seconds N]."""

import argparse
import sys

from tests.attacks.slow import slow


def main() -> int:
    """Run what is named; 0 when everything came out right."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    parser.add_argument("name", choices=["slow"])
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    return 0 if slow(args.connections, args.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
