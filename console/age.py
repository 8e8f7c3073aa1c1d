"""How is something sealed to a key, and opened again? By age: its library where there is one, else Debian's program.

The library (pyrage) has wheels for 64-bit systems alone. What one seals the other opens.
"""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

try:
    import pyrage

    library: Any = pyrage
except ImportError:
    library = None

SECRET = "AGE-SECRET-KEY-1"
"""What a secret key begins with."""
_ANY_SECRET = re.compile(SECRET + r"\w*", re.IGNORECASE)
PATIENCE = 600
"""Seconds for the largest copy on the slowest card."""


class AgeError(Exception):
    """What is wrong; never with a secret key in it."""


def new_secret() -> str:
    """A secret key, drawn at random. Raises AgeError."""
    if library is not None:
        return str(library.x25519.Identity.generate())
    return next(line for line in _run("age-keygen").splitlines() if line.startswith(SECRET))


def public(secret: str) -> str:
    """The other half of a secret key: what is sealed to. Raises AgeError for what is none."""
    if not secret.startswith(SECRET):
        raise AgeError("no secret key of age")
    if library is None:
        return _run("age-keygen", "-y", told=secret).strip()
    try:
        return str(library.x25519.Identity.from_str(secret).to_public())
    except library.IdentityError as error:
        raise AgeError(str(error)) from None


def secrets(file: Path) -> list[str]:
    """The secret keys in a file as age writes it, whole ones or AgeError. Raises OSError, ValueError for no text."""
    lines = [line.strip() for line in file.read_text("ascii").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    for secret in found:
        public(secret)
    if not found:
        raise AgeError("no key is in it")
    return found


def check(recipient: str) -> None:
    """Raises AgeError for what nothing can be sealed to."""
    if library is None:
        _run("age", "--encrypt", "--recipient", recipient, "--output", "/dev/null")
        return
    try:
        library.x25519.Recipient.from_str(recipient)
    except library.RecipientError as error:
        raise AgeError(str(error)) from None


def seal(plain: Path, sealed: Path, recipient: str) -> None:
    """Raises AgeError, OSError."""
    if library is None:
        _run("age", "--encrypt", "--recipient", recipient, "--output", str(sealed), str(plain))
        return
    with plain.open("rb") as source, sealed.open("wb") as target:
        library.encrypt_io(source, target, [library.x25519.Recipient.from_str(recipient)])


def unseal(sealed: Path, plain: Path, keys: Sequence[str]) -> None:
    """keys: secret ones. Raises AgeError where none of them opens it; OSError."""
    if library is None:
        _run("age", "--decrypt", "--identity", "-", "--output", str(plain), str(sealed), told="\n".join(keys))
        return
    try:
        with sealed.open("rb") as source, plain.open("wb") as target:
            library.decrypt_io(source, target, [library.x25519.Identity.from_str(key) for key in keys])
    except library.DecryptError as error:
        raise AgeError(str(error)) from None


def _run(*command: str, told: str = "") -> str:
    """What Debian's program answers. Raises AgeError."""
    try:
        ended = subprocess.run(command, input=told, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except FileNotFoundError:
        raise AgeError(f"there is no {command[0]}: sudo apt-get install age") from None
    except subprocess.TimeoutExpired:
        raise AgeError(f"{command[0]}: no end within {PATIENCE} s") from None
    if ended.returncode:
        said = " ".join(ended.stderr.split()) or f"ended with {ended.returncode}"
        said = said.partition(" age: report unexpected")[0].removeprefix("age: error: ")
        raise AgeError(f"{command[0]}: {_ANY_SECRET.sub('…', said)}")
    return ended.stdout
