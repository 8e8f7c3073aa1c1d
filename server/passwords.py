"""How are passwords and tokens made, chosen and checked? Only their hashes are kept."""

import hmac
import secrets
from functools import cache
from hashlib import sha256
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server.errors import ChangeRefusedError, Refused

SHORTEST, LONGEST = 12, 1000
"""Characters of a password (OWASP ASVS 5.0, 6.2: 8 at least, 64 must be taken, no rules of composition)."""
LETTERS = 5
"""Different ones that a password has at least: 111111111111 and abababababab are guessed first."""
LONGEST_LOGIN = 100
_ROWS = (
    "1234567890",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
)
_COMMON_WORDS = """
password motdepasse passwort contrasena iloveyou jetaime letmein welcome bienvenue bonjour soleil sunshine princess
princesse football basketball superman batman starwars pokemon dragon monkey master doudou loulou chouchou azerty
qwerty qwertz trustno whatever changeme administrator administrateur admin secret loquet coworking fablab
correcthorsebatterystaple
"""
COMMON = frozenset(_COMMON_WORDS.split())
"""The words of which the commonest passwords are made, alone, twice, or with digits and signs around them."""

_hasher = PasswordHasher()


def new_password() -> str:
    """Four groups that can be read aloud; 77 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def new_token() -> str:
    """For the API, a session or a link: 256 bits, safe in a header and an address."""
    return secrets.token_urlsafe(32)


def login_of(written: str) -> str:
    """A login as it is kept and compared: of one case, its accents in one piece."""
    return normalize("NFKC", written.strip()).casefold()


def is_login(login: str) -> bool:
    return 0 < len(login) <= LONGEST_LOGIN and all(letter.isalnum() or letter in "._@+-" for letter in login)


def accepted(password: str, login: str) -> str:
    """The hash of a password that somebody chose. Raises ChangeRefusedError for one that others would guess."""
    if len(password) < SHORTEST:
        raise ChangeRefusedError(Refused.PASSWORD_SHORT)
    if len(password) > LONGEST:
        raise ChangeRefusedError(Refused.PASSWORD_LONG)
    if is_common(password, login):
        raise ChangeRefusedError(Refused.PASSWORD_COMMON)
    return hash_password(password)


def is_common(password: str, login: str) -> bool:
    """Whether it is among the first that anybody tries."""
    plain = password.casefold()
    if len(set(plain)) < LETTERS or any(plain in 4 * row or plain in 4 * row[::-1] for row in _ROWS):
        return True
    word, name = _letters(plain), _letters(login_of(login))
    half = word[: len(word) // 2]
    return not COMMON.union(_ROWS, {name} - {""}).isdisjoint({word, half if half + half == word else word})


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


def hash_password(password: str, salt: bytes | None = None) -> str:
    """argon2id with its parameters and a salt, drawn at random when none is given."""
    return _hasher.hash(normalize("NFC", password), salt=salt)


def is_password(stored: str | None, password: str) -> bool:
    """Whether it is the one of which the hash is stored. As slow where none is stored, as for a login that is none."""
    nobodys = _nobodys()
    try:
        return _hasher.verify(stored or nobodys, normalize("NFC", password)) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows."""
    return hash_password(new_token())


def hash_token(token: str) -> str:
    """SHA-256, hex: enough for a token of 256 random bits, and as good to look up by as the token itself."""
    return sha256(token.encode(errors="replace")).hexdigest()


def is_token(stored: str, token: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(stored, hash_token(token))
