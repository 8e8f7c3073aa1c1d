"""How is the number of a badge written? Hexadecimal digits, in any of the ways of readers and of people."""

import re
from collections.abc import Iterator

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


def doubtful(bundle: Bundle) -> Iterator[Problem]:
    """Badges that no reader will ever show, or not twice, of a bundle that is in order."""
    for index, credential in enumerate(bundle.credentials):
        if why := _doubt(bytes.fromhex(credential.uid)):
            yield Problem(f"credentials[{index}].uid", credential.uid, why, credential.member)


def _doubt(uid: bytes) -> str | None:
    if len(set(uid)) == 1 and uid[0] in (0x00, 0xFF):
        return "no badge has this number: read the badge again"
    if len(uid) == 4 and uid[0] == 0x08:
        return "4 bytes that begin with 08 are drawn anew at each tap (a phone, as a rule): give a badge"
    if len(uid) == 4 and uid[0] == 0x88:
        return "4 bytes that begin with 88 are as a rule the start of a number of 7: read the badge whole"
    return None
