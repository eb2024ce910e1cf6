"""One class per thing that can go wrong. The message says what to do about it."""


class OpsmonError(Exception):
    """Something opsmon can explain in one sentence; a command prints it without a traceback."""


class SettingsError(OpsmonError):
    """A setting cannot be used. Names the setting and what a right value looks like."""


class StoreUnavailable(OpsmonError):
    """The store did not confirm in time. Nothing was promised: the sender should try again."""


class StoreStartError(OpsmonError):
    """The embedded store could not be started. Says why and what would help."""


class AlreadyRunning(OpsmonError):
    """Another opsmon works on the same data directory."""


class NewerStore(OpsmonError):
    """The store was written by a newer opsmon, whose keys this one would read wrongly. Nothing was read or written."""
