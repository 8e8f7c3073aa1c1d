"""What can go wrong with a command that whoever typed it can mend."""


class CommandError(Exception):
    """Something the caller can mend. The message names the thing, the value and the remedy."""
