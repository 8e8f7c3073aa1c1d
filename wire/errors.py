"""What can be wrong with what came over a network or out of a file that should hold a message."""


class WireError(ValueError):
    """The other side's fault; asking it to repeat the same bytes does not help."""


class ForgedError(WireError):
    """The signature is missing, not the expected sender's, or over other bytes."""


class TooLargeError(WireError):
    """More bytes than any honest message of its kind has."""
