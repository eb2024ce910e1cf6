"""connect odoo: what the key may read, which fields to tick, and an address with a fresh token for its webhooks."""

import argparse
import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from opsmon.commands.arguments import settings_of
from opsmon.core.errors import OpsmonError
from opsmon.pollers.odoo import MODELS, currencies, make_api, rights
from opsmon.pollers.odoo_api import OdooApi, fields_of
from opsmon.settings import Settings
from opsmon.sources.odoo import hashed

_KIND = "odoo"


@dataclass(frozen=True, slots=True)
class _Found:
    """What Odoo said: by model why it cannot be read ('' when it can) and its fields; and its currencies."""

    denied: Mapping[str, str]
    fields: Mapping[str, list[str]]
    currency: str


def connect(args: argparse.Namespace) -> int:
    """Say what is there and what to do; nothing is changed, here or in Odoo. 1 when something may not be read.

    Raises OpsmonError. Each run makes another token: the old ones are good until they are taken out of opsmon.toml.
    """
    settings = settings_of(args, **({"public_url": args.url} if args.url else {}))
    name, options = _declared(settings, args)
    api = make_api(name, options)
    found = asyncio.run(_ask(api)) if api else _Found({}, {model: [*MODELS[model].fields] for model in MODELS},
                                                      settings.currency or "EUR")
    if api:
        print(f"Odoo      {options['url']} ({options['database']}): the key is good.")
    for model, why in found.denied.items():
        print(f"  {model:15} {why or 'can be read'}")
    token = secrets.token_urlsafe(32)
    _say_webhook(settings, name, token, found)
    _say_lines(name, token, options | {"currency": options.get("currency") or found.currency})
    return 1 if any("may not" in why for why in found.denied.values()) else 0


async def _ask(api: OdooApi) -> _Found:
    denied = await rights(api)
    fields = {model: await fields_of(api, model, MODELS[model].fields) for model, why in denied.items() if not why}
    return _Found(denied, fields, await currencies(api))


def _declared(settings: Settings, args: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """The source that is meant, declared or not yet, and its options with those of the command line."""
    declared = [source for source in settings.sources if source.kind == _KIND and args.called in (None, source.name)]
    name = args.called or (declared[0].name if declared else _KIND)
    given = {"url": args.odoo, "database": args.database, "user": args.user, "key_file": args.key_file}
    options = dict(declared[0].options) if declared else {}
    options |= {option: text for option, text in given.items() if text}
    if any(given.values()) and not options.get("url"):
        raise OpsmonError("where is Odoo? Give --odoo https://shop.odoo.com --database NAME --key-file FILE, or none "
                          "of these for webhooks alone")
    return name, options


def _say_webhook(settings: Settings, name: str, token: str, found: _Found) -> None:
    base = settings.public_url or "https://<where opsmon is reached>"
    print(f"\nWebhooks  {base}/webhooks/{name}/{token}\n"
          "  The address is the secret. In Odoo: Settings → Technical → Automation Rules, one for each model below,\n"
          "  When: On save; action Send Webhook Notification with this URL and these fields:")
    for model, fields in found.fields.items():
        print(f"  {model:15} {', '.join(fields)}")


def _say_lines(name: str, token: str, options: Mapping[str, str]) -> None:
    print("\nFor opsmon.toml; then start opsmon again:\n\n"
          f'[[source]]\nname = "{name}"\nkind = "{_KIND}"\nsecrets = ["{hashed(token)}"]')
    for option in ("currency", "url", "database", "user", "key_file"):
        if options.get(option):
            # A JSON text is a TOML text.
            print(f"{option} = {json.dumps(options[option])}")
    if not urlsplit(options.get("url", "")).hostname:
        print("\nOdoo sends nothing twice: with --odoo, --database and --key-file opsmon can ask for what was missed.")
