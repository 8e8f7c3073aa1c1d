"""How is the number of a badge written? Hexadecimal digits, in any of the ways of readers and of people."""

import re
from collections.abc import Iterator
from enum import Enum

from msgspec.structs import replace

from policy.bundle import Bundle, Credential
from policy.errors import Problem

FORM = (
    "write the UID of 4, 7 or 10 bytes as 8, 14 or 20 hexadecimal digits; "
    "spaces, colons, dashes and 0x between them count for nothing"
)
_HEX = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20}")
_BETWEEN = re.compile(r"[\s:.,;_-]+")
_DECIMAL = re.compile(r"[0-9]{9,10}|[0-9]{16,17}")


def digits(written: str) -> str:
    """The digits alone, in the case given. Raises ValueError, with the remedy, for what is no UID."""
    if _HEX.fullmatch(written):
        return written
    bytes_ = [group[2:] if group[:2] in ("0x", "0X") else group for group in _BETWEEN.split(written.strip())]
    if len(bytes_) in (4, 7, 10) and all(len(byte) in (1, 2) for byte in bytes_):
        bytes_ = [byte.zfill(2) for byte in bytes_]  # as programs print them that leave a leading 0 out
    joined = "".join(bytes_)
    if not _HEX.fullmatch(joined):
        number = _DECIMAL.fullmatch(joined) and "; this looks like the same number in decimal digits: convert it"
        raise ValueError(FORM + (number or ""))
    return joined


def number(written: str) -> bytes:
    """The bytes of a UID. Raises ValueError as digits."""
    return bytes.fromhex(digits(written))


def plain(bundle: Bundle) -> Bundle:
    """The bundle with each UID in digits alone; one that is none stays as it is."""
    credentials = tuple(map(_plain, bundle.credentials))
    return bundle if credentials == bundle.credentials else replace(bundle, credentials=credentials)


def _plain(credential: Credential) -> Credential:
    try:
        uid = digits(credential.uid)
    except ValueError:
        return credential
    return credential if uid == credential.uid else replace(credential, uid=uid)


class Doubt(Enum):
    """Why a number is no badge's that could be given to somebody, with the remedy."""

    NOBODYS = "no badge has this number: read the badge again"
    RANDOM = "4 bytes that begin with 08 are drawn anew at each tap (a phone, as a rule): give a badge"
    HALF = "4 bytes that begin with 88 are as a rule the start of a number of 7: read the badge whole"


def doubtful(bundle: Bundle) -> Iterator[Problem]:
    """Badges that no reader will ever show, or not twice, of a bundle that is in order."""
    for index, credential in enumerate(bundle.credentials):
        if why := doubt(bytes.fromhex(credential.uid)):
            yield Problem(f"credentials[{index}].uid", credential.uid, why.value, credential.member)


def doubt(uid: bytes) -> Doubt | None:
    """None for a number that a badge may have."""
    if len(set(uid)) == 1 and uid[0] in (0x00, 0xFF):
        return Doubt.NOBODYS
    if len(uid) == 4 and uid[0] == 0x08:
        return Doubt.RANDOM
    return Doubt.HALF if len(uid) == 4 and uid[0] == 0x88 else None


def decimals(written: str) -> tuple[str, ...]:
    """What a number in decimal digits may mean, as USB readers type it: its bytes in either order, in hex digits.

    None of it is a guess to go by: whoever holds the badge chooses. Empty for what is no such number.
    """
    joined = "".join(_BETWEEN.split(written.strip()))
    size = 4 if len(joined) < 11 else 7
    if not _DECIMAL.fullmatch(joined) or int(joined) >= 1 << 8 * size:
        return ()
    uid = int(joined).to_bytes(size, "big")
    return tuple(dict.fromkeys((uid.hex().upper(), uid[::-1].hex().upper())))
