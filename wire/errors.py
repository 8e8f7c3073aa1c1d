"""What can be wrong with what came over a network or out of a file that should hold a message."""

from policy.errors import brief

SAID = 300
"""Characters of an error: what it quotes comes from outside and must not fill a log."""


class WireError(ValueError):
    """The other side's fault; asking it to repeat the same bytes does not help."""

    def __init__(self, said: str) -> None:
        super().__init__(brief(said, SAID))


class ForgedError(WireError):
    """The signature is missing, not the expected sender's, or over other bytes."""


class TooLargeError(WireError):
    """More bytes than any honest message of its kind has."""
