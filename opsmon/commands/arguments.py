"""What the command line says over the environment: the same names as the settings."""

import argparse

from opsmon.settings import Settings, load

_NAMES = {"data": "data", "store": "store_url", "host": "host", "port": "port", "name": "worker_name"}


def overrides(args: argparse.Namespace) -> dict[str, str]:
    """The settings given on the command line, as texts."""
    given = {setting: getattr(args, option, None) for option, setting in _NAMES.items()}
    return {setting: text for setting, text in given.items() if text}


def settings_of(args: argparse.Namespace, **others: str) -> Settings:
    """All settings. Raises SettingsError naming each wrong one."""
    return load(overrides={**others, **overrides(args)})
