"""How does a browser show a passkey (WebAuthn)? It signs a challenge that the server drew, once, within minutes.

A passkey is bound to the name of the pages: that of `address` in server.toml, else what the browser asked for. There is
none for a bare IP address. The authenticator has to have made sure who holds it (PIN, finger, face).
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from secrets import token_bytes
from threading import Lock
from urllib.parse import urlsplit

import msgspec
from flask import request
from msgspec import Struct
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.errors import ChangeRefusedError, Refused
from server.models import Passkey
from server.queries.accounts import Caller
from server.web import sessions

GOOD_FOR = timedelta(minutes=10)
AT_ONCE = 1000
"""Challenges that are open; one more, and the oldest is forgotten."""
NO_ANSWER = (WebAuthnException, msgspec.MsgspecError, ValueError, RecursionError)
"""What reading and checking say of what is no answer to our challenge."""
NEEDED = UserVerificationRequirement.REQUIRED


class Challenges:
    """Drawn here and taken back once, from any thread."""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = Lock()

    def draw(self) -> bytes:
        challenge = token_bytes(32)
        with self._lock:
            self._open[challenge] = sessions.now() + GOOD_FOR
            if len(self._open) > AT_ONCE:
                self._open.popitem(last=False)
        return challenge

    def take(self, challenge: bytes) -> bool:
        """Whether it was open; it is not any more."""
        with self._lock:
            until = self._open.pop(challenge, None)
        return until is not None and sessions.now() < until


challenges = Challenges()


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey that was shown. sign_count: what the authenticator says now."""

    id: str
    account: int
    sign_count: int


class _Answered(Struct, frozen=True):
    clientDataJSON: str  # noqa: N815 - WebAuthn's name


class _Credential(Struct, frozen=True):
    """What is read before the library checks all of it."""

    id: str
    response: _Answered


class _Client(Struct, frozen=True):
    challenge: str


def offered() -> bool:
    """Whether the pages have a name that a passkey can be bound to, over https or on this machine."""
    name = _name()
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost" or _origin().startswith("https://")
    return False


def question_for_new(me: Caller, known: Sequence[Passkey] = ()) -> str:
    """The browser's options for a new passkey, JSON (WebAuthn level 3, PublicKeyCredentialCreationOptionsJSON).

    known: those of the account; a device has one of them.
    """
    options = generate_registration_options(
        rp_id=_name(),
        rp_name=sessions.context().current().bundle.site.name,
        user_id=str(me.account).encode(),
        user_name=me.login,
        user_display_name=me.name,
        challenge=challenges.draw(),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.id)) for key in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=NEEDED
        ),
    )
    return options_to_json(options)


def question() -> str:
    """The browser's options for showing one, JSON; whose it is, the passkey says itself."""
    options = generate_authentication_options(rp_id=_name(), challenge=challenges.draw(), user_verification=NEEDED)
    return options_to_json(options)


def made(answer: str, account: int, name: str) -> Passkey:
    """The new passkey, to be stored. Raises ChangeRefusedError."""
    try:
        _, challenge = _read(answer)
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_name(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except NO_ANSWER:
        raise ChangeRefusedError(Refused.PASSKEY_REFUSED) from None
    return Passkey(
        id=bytes_to_base64url(found.credential_id),
        account=account,
        name=name,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        made=sessions.now(),
    )


def shown(answer: str) -> Shown:
    """Whose passkey the browser showed. Raises ChangeRefusedError."""
    try:
        key, challenge = _read(answer)
        with sessions.context().database.reading() as session:
            known = session.get(Passkey, key)
        if known is None:
            raise ChangeRefusedError(Refused.PASSKEY_REFUSED)
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_name(),
            expected_origin=_origin(),
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except NO_ANSWER:
        raise ChangeRefusedError(Refused.PASSKEY_REFUSED) from None
    return Shown(known.id, known.account, found.new_sign_count)


def _read(answer: str) -> tuple[str, bytes]:
    """(passkey, challenge) of an answer to a challenge that was open until now. Raises ChangeRefusedError."""
    credential = msgspec.json.decode(answer, type=_Credential)
    client = msgspec.json.decode(base64url_to_bytes(credential.response.clientDataJSON), type=_Client)
    challenge = base64url_to_bytes(client.challenge)
    if not challenges.take(challenge):
        raise ChangeRefusedError(Refused.PASSKEY_REFUSED)
    return credential.id, challenge


def _origin() -> str:
    return sessions.context().address or request.host_url.rstrip("/")


def _name() -> str:
    return urlsplit(_origin()).hostname or ""
