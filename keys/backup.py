"""Which key opens the copies of a site's database? One of age's, made here, and never carried to the server.

`identity.txt` is a file as age's own program reads it: the newest key first, those before it below, for older copies.
"""

from pathlib import Path

IDENTITY, RECIPIENT = "identity.txt", "recipient.txt"


def new_identity(file: Path) -> bytes:
    """A new key, and below it those that the file holds."""
    from pyrage import x25519

    try:
        before = [str(each) for each in _identities(file)]
    except (OSError, ValueError):
        before = []
    return "".join(f"{key}\n" for key in (str(x25519.Identity.generate()), *before)).encode()


def recipient(file: Path) -> str:
    """The public half of its newest key: what copies are sealed to. Raises OSError; ValueError for anything else."""
    from pyrage import x25519

    return str(x25519.Identity.from_str(_identities(file)[0]).to_public())


def _identities(file: Path) -> list[str]:
    from pyrage import IdentityError, x25519

    lines = [line.strip() for line in file.read_text("ascii").splitlines() if line.strip() and line[0] != "#"]
    try:
        found = [str(x25519.Identity.from_str(line)) for line in lines]
    except IdentityError as error:
        raise ValueError(str(error)) from None
    if not found:
        raise ValueError("no key is in it")
    return found
