"""The verbs. Each is one line here and one function in commands/."""

import argparse
import sys
from collections.abc import Sequence

import opsmon
from opsmon.core.errors import OpsmonError
from opsmon.logs import write_logs

_ABOUT = """\
A lightweight operations monitor for small warehouse and e-commerce teams.

  opsmon demo    a simulated shop on a board, to look around
  opsmon up      the real thing: store, webhooks, worker and boards in one
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; 0 when it did what was asked, 1 when not, 2 for a wrong command line."""
    args = parser().parse_args(argv)
    write_logs(sys.stderr)
    try:
        return int(args.run(args))
    except OpsmonError as error:
        print(f"opsmon: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line. Imports wait until a verb runs, so that --help and the supervisor stay small."""
    top = argparse.ArgumentParser(prog="opsmon", description=_ABOUT,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"opsmon {opsmon.__version__}")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _running(verbs)
    _trying(verbs)
    _connecting(verbs)
    _importing(verbs)
    _asking(verbs)
    _dead(verbs)
    _boards(verbs)
    _privacy(verbs)
    _people(verbs)
    _keeping(verbs)
    return top


def _running(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = _verb(verbs, "up", "running:up", "run everything on this machine: store, worker, boards and webhooks")
    store = _verb(verbs, "store", "running:store", "run the embedded store alone")
    ingest = _verb(verbs, "ingest", "running:ingest", "take webhooks (no boards)")
    web = _verb(verbs, "web", "running:web", "serve boards (no webhooks)")
    worker = _verb(verbs, "worker", "running:worker", "count events")
    poll = _verb(verbs, "poll", "running:poll", "ask vendors for what their webhooks did not bring")
    notify = _verb(verbs, "notify", "running:notify", "tell people of alerts")
    for verb in (up, store, ingest, web, worker, poll, notify):
        _where(verb)
    for verb in (up, ingest, web):
        _address(verb)
    web.add_argument("--with-ingest", action="store_true", help="take webhooks too, as `opsmon up` does")
    worker.add_argument("--name", metavar="NAME", help="stable name of this worker, if there are several here")


def _trying(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = _verb(verbs, "demo", "demo:demo", "show a simulated shop, on data that are thrown away")
    _address(demo)
    demo.add_argument("--speed", type=float, default=1.0, metavar="N", help="N times the usual orders (1)")
    shop = _verb(verbs, "demo-shop", "demo:shop", "send the simulated shop's webhooks (used by demo)")
    shop.add_argument("--speed", type=float, default=1.0)
    _where(shop)
    _address(shop)
    send = _verb(verbs, "send-test", "sending:send_test", "send one signed test order and see it on the board")
    send.add_argument("source", choices=["shopify"])
    send.add_argument("--url", help="where to (http://127.0.0.1:8000/webhooks/shopify)")
    send.add_argument("--undo", metavar="ID", help="take a test order back")
    _where(send)
    _address(send)
    inspect = _verb(verbs, "inspect", "sending:inspect", "show what opsmon makes of a payload, storing nothing")
    inspect.add_argument("source", choices=["shopify"])
    inspect.add_argument("topic", metavar="TOPIC", help="e.g. orders/create")
    inspect.add_argument("file", metavar="FILE", help="the body, as JSON; - for standard input")


def _connecting(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = _verb(verbs, "connect", "connect:connect", "make the webhooks a source should send, say what is there")
    verb.add_argument("source", choices=["shopify", "odoo"])
    verb.add_argument("--shop", metavar="NAME", help="shop.myshopify.com (OPSMON_SHOPIFY_SHOP)")
    verb.add_argument("--url", metavar="URL", help="https address of this opsmon (OPSMON_PUBLIC_URL)")
    verb.add_argument("--odoo", metavar="URL", help="where Odoo is, e.g. https://shop.odoo.com")
    verb.add_argument("--database", metavar="NAME", help="Odoo's database")
    verb.add_argument("--key-file", metavar="FILE", help="a file with an API key of Odoo")
    verb.add_argument("--user", metavar="LOGIN", help="login of the key's user, for Odoo 18 and older")
    verb.add_argument("--name", dest="called", metavar="NAME", help="which of several sources (odoo)")


def _importing(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = _verb(verbs, "import", "importing:import_files", "take orders, stock or counts from CSV files")
    verb.add_argument("files", nargs="*", metavar="FILE", help="CSV with a header; an order may lie in several")
    verb.add_argument("--as", dest="table", choices=["orders", "stock", "counts", "gauges"],
                      help="what the files hold (orders)")
    _import_columns(verb)
    verb.add_argument("--name", dest="shop", default="shop", metavar="NAME",
                      help="tells imports apart; the same again counts nothing twice (shop)")
    verb.add_argument("--time-format", default="", metavar="FORMAT", help="e.g. '%%d/%%m/%%Y %%H:%%M' (ISO)")
    verb.add_argument("--currency", metavar="CODE", help="of orders that name none (OPSMON_CURRENCY)")
    verb.add_argument("--cancel-prefix", metavar="TEXT",
                      help="orders whose number begins so are money given back (C, under the UCI header)")
    verb.add_argument("--dry-run", action="store_true", help="report what would be taken, storing nothing")
    verb.add_argument("--force", action="store_true", help="even if some orders are too old to be counted")
    _where(verb)
    verb.set_defaults(refuse=verb.error)


def _import_columns(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--columns", metavar="FIELD=HEADER,…",
                      help="which column holds what, e.g. order=InvoiceNo,time=InvoiceDate,quantity=Quantity,"
                           "price=UnitPrice (guessed from the header)")
    verb.add_argument("--save-columns", metavar="NAME",
                      help="keep the columns, and how times, currency and cancellations are read, under a name")
    verb.add_argument("--columns-from", metavar="NAME", help="read the files as was saved under a name")
    verb.add_argument("--list-columns", action="store_true", help="list what is saved, and end")


def _asking(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = _verb(verbs, "status", "asking:status", "sources, lag, dead letters, store and latency")
    status.add_argument("--json", action="store_true", help="for programs")
    _where(status)
    _address(status)
    explain = _verb(verbs, "explain", "explaining:explain", "what a number means and what it was last made of")
    explain.add_argument("kpi", metavar="KPI", help="its id, as /api/kpis lists them")
    explain.add_argument("--json", action="store_true", help="for programs")
    _where(explain)
    verify = _verb(verbs, "verify", "counting:verify", "count again from events and orders, and compare")
    _where(verify)
    replay = _verb(verbs, "replay", "counting:replay", "count anew beside what counts, then swap")
    _where(replay)
    check = _verb(verbs, "check", "asking:check", "check the settings and say what would be right")
    _where(check)
    _verb(verbs, "routes", "routes:routes", "list every address, who may ask for it, and how much it takes")
    kpis = _verb(verbs, "kpis", "asking:kpis", "list the KPIs of the site, and what they count")
    kpis.add_argument("--facts", action="store_true", help="list what can be counted, and by which fields")
    _where(kpis)


def _dead(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "what could not be used: list, show, replay, discard it"
    dead = verbs.add_parser("dead", help=about, description=about[0].upper() + about[1:] + ".")
    deeds = dead.add_subparsers(title="commands", metavar="COMMAND", required=True)
    held = _verb(deeds, "list", "dead:list_letters", "what is held, by source and reason")
    show = _verb(deeds, "show", "dead:show", "one letter, with its headers and its payload")
    show.add_argument("id", metavar="ID", help="as opsmon dead list --reason tells it")
    replay = _verb(deeds, "replay", "dead:replay", "read letters again and count them")
    discard = _verb(deeds, "discard", "dead:discard", "let letters go for good")
    for verb in (replay, discard):
        verb.add_argument("ids", nargs="*", metavar="ID", help="letters, as opsmon dead list --reason tells them")
    for verb in (held, replay, discard):
        verb.add_argument("--source", metavar="SOURCE", help="only of this source")
        verb.add_argument("--reason", metavar="REASON", help="all of this reason, as opsmon dead list names it")
    replay.add_argument("--all", action="store_true", help="with --reason: not only the oldest, to try it")
    replay.add_argument("--payload", metavar="FILE", help="what a letter should have said; - for standard input")
    discard.add_argument("--because", required=True, metavar="TEXT", help="why; it stays in the journal")
    for verb in (held, show, replay, discard):
        verb.add_argument("--json", action="store_true", help="for programs")
        _where(verb)


def _boards(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "what stands on the screens: list boards, write one to a file, take one from a file"
    boards = verbs.add_parser("boards", help=about, description=about[0].upper() + about[1:] + ".")
    deeds = boards.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = _verb(deeds, "list", "boards:list_boards", "every board, and whether it was changed")
    export = _verb(deeds, "export", "boards:export", "write a board as JSON")
    export.add_argument("id", metavar="ID", help="as opsmon boards list names it")
    export.add_argument("file", nargs="?", metavar="FILE", help="where to; standard output without one")
    taken = _verb(deeds, "import", "boards:import_board", "take a board from a file: screens change at once")
    taken.add_argument("file", metavar="FILE", help="JSON, as export writes it; - for standard input")
    taken.add_argument("--id", metavar="ID", help="under another id: a copy")
    for verb in (listed, export, taken):
        _where(verb)


def _privacy(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "customers who ask what is stored about them, or to be forgotten"
    privacy = verbs.add_parser("privacy", help=about, description=about[0].upper() + about[1:] + ".")
    deeds = privacy.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = _verb(deeds, "list", "privacy:list_requests", "what was asked for, until when, and what was done")
    export = _verb(deeds, "export", "privacy:export_customer", "write all that is stored about a customer to a file")
    erase = _verb(deeds, "erase", "privacy:erase", "forget a customer: every sum stays, whose it was goes")
    done = _verb(deeds, "done", "privacy:done", "say that a request for data was answered")
    forget = _verb(verbs, "forget", "privacy:erase", "the same as opsmon privacy erase: forget a customer")
    told = _verb(verbs, "export-person", "privacy:export_customer", "the same as opsmon privacy export")
    forget.add_argument("--yes", action="store_true", help="do it; else only say what there is")
    erase.add_argument("--yes", action="store_true", help="do it; else only say what there is")
    for verb in (export, erase, forget, told):
        verb.add_argument("id", metavar="ID", help="of a request, or of a customer: e.g. woo:shop.example:customer:17")
    done.add_argument("id", metavar="ID", help="as opsmon privacy list names it")
    for verb in (asked, export, erase, done, forget, told):
        _where(verb)


def _people(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "who may come in: invite, change a role, shut out"
    people = verbs.add_parser("people", help=about, description=about[0].upper() + about[1:] + ".")
    deeds = people.add_subparsers(title="commands", metavar="COMMAND", required=True)
    known = _verb(deeds, "list", "people:list_people", "everybody with an account")
    add = _verb(deeds, "add", "people:add", "make an account and print the link that opens it")
    reset = _verb(deeds, "reset", "people:reset", "print a link to choose a new password")
    role = _verb(deeds, "role", "people:role", "give somebody another role")
    off = _verb(deeds, "off", "people:off", "shut somebody out, everywhere and at once")
    on = _verb(deeds, "on", "people:on", "let somebody in again")
    for verb in (add, reset, role, off, on):
        verb.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", dest="called", metavar="NAME", help="as others know them (what is before the @)")
    add.add_argument("--role", default="admin", help="viewer, operator, manager or admin (admin)")
    role.add_argument("role", metavar="ROLE", help="viewer, operator, manager or admin")
    for verb in (known, add, reset, role, off, on):
        _where(verb)


def _keeping(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backup = _verb(verbs, "backup", "keeping:backup", "write all that is counted and known to one file, while live")
    restore = _verb(verbs, "restore", "keeping:restore", "put a backup in the place of what there is")
    for verb in (backup, restore):
        verb.add_argument("file", metavar="FILE", help="e.g. opsmon-2026-11-20.tar.gz")
        _where(verb)
    restore.add_argument("--replace", action="store_true", help="even if there is something already: it is lost")


def _verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, function: str,
          about: str) -> argparse.ArgumentParser:
    def run(args: argparse.Namespace) -> int:
        from importlib import import_module

        module, _, attribute = function.partition(":")
        return int(getattr(import_module(f"opsmon.commands.{module}"), attribute)(args))

    verb = verbs.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    verb.set_defaults(run=run)
    return verb


def _where(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", metavar="FOLDER", help="folder of the embedded store")
    verb.add_argument("--store", metavar="URL", help="a Redis or Valkey to use instead")


def _address(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--host", metavar="ADDRESS", help="address for webhooks (127.0.0.1); boards stay local")
    verb.add_argument("--port", metavar="PORT", help="port (8000)")


if __name__ == "__main__":
    sys.exit(main())
