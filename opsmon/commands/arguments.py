"""What the command line says over the environment: the same names as the settings."""

import argparse
import shlex

from opsmon.settings import Settings, check, load

_NAMES = {"data": "data", "store": "store_url", "host": "host", "port": "port", "name": "worker_name"}


def overrides(args: argparse.Namespace) -> dict[str, str]:
    """The settings given on the command line, as texts."""
    given = {setting: getattr(args, option, None) for option, setting in _NAMES.items()}
    return {setting: text for setting, text in given.items() if text}


def settings_of(args: argparse.Namespace, **others: str) -> Settings:
    """All settings. Raises SettingsError naming each wrong one."""
    return load(overrides={**others, **overrides(args)})


def where(settings: Settings) -> str:
    """What another command must be told to find the same opsmon: '' when it is where it would look."""
    usual, _ = check()
    data = "" if usual and settings.data == usual.data else f" --data {shlex.quote(str(settings.data))}"
    return data + ("" if usual and settings.port == usual.port else f" --port {settings.port}")
