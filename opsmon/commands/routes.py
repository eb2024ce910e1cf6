"""routes: every address, who may ask for it, on which port, and how much it takes."""

import argparse


def routes(args: argparse.Namespace) -> int:
    """Print the table."""
    from opsmon.web.route_table import lines_of, route_table

    for line in lines_of(route_table()):
        print(line)
    return 0
