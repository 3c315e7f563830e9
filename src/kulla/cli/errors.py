"""The one way a command refuses: a plain sentence on standard error and exit code 2."""


class CommandError(Exception):
    """What the person at the terminal must know, as one sentence that also says what to do."""
