"""Which key opens the copies of a site's database? One of age's, made here, and never carried to the server.

`identity.txt` is a file as age's own program reads it: the newest key first, those before it below, for older copies.
"""

from pathlib import Path

from console import age
from console.age import AgeError
from console.errors import CommandError

IDENTITY, RECIPIENT = "identity.txt", "recipient.txt"


def new_identity(file: Path) -> bytes:
    """A new key, and below it those that the file holds. Raises CommandError where age is not installed."""
    try:
        before = age.secrets(file)
    except (OSError, ValueError, AgeError):
        before = []
    try:
        return "".join(f"{key}\n" for key in (age.new_secret(), *before)).encode()
    except AgeError as error:
        raise CommandError(str(error)) from None


def recipient(file: Path) -> str:
    """The public half of its newest key: what copies are sealed to. Raises OSError; ValueError for anything else."""
    try:
        return age.public(age.secrets(file)[0])
    except AgeError as error:
        raise ValueError(str(error)) from None
