"""Where do a site's keys come from? Made here, into files that nobody else can read."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from wire.credential import KEY_BYTES

SERVER = "server.pem"
SERVER_PUBLIC = "server.pub.pem"
CREDENTIAL = "credential.key"


def make_site(folder: Path, edges: tuple[str, ...]) -> None:
    """The server's key pair, one for each edge (`<edge>.pem`), and the site's credential key (hex).

    Files that exist are kept. The folder is made with mode 0700, private files with 0600. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_pair(folder, "server")
    for edge in edges:
        make_pair(folder, edge)
    credential = folder / CREDENTIAL
    if not credential.exists():
        write_secret(credential, secrets.token_hex(KEY_BYTES) + "\n")


def make_pair(folder: Path, name: str) -> None:
    """An Ed25519 pair: `<name>.pem` (private, PKCS 8) and `<name>.pub.pem`, unless it is there already."""
    private = folder / f"{name}.pem"
    if private.exists():
        return
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub.pem").write_bytes(public)
    write_secret(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def private_key(file: Path) -> Ed25519PrivateKey:
    """A private key made here. Raises OSError, ValueError."""
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file}: not an Ed25519 private key: it was not made here")
    return key


def public_hex(file: Path) -> str:
    """A public key made here, as 64 hex digits. Raises OSError, ValueError."""
    return load_pem_public_key(file.read_bytes()).public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def make_password(file: Path) -> str:
    """The password in the file; made first when there is none."""
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(18) + "\n")
    return file.read_text().strip()


def write_secret(file: Path, text: str) -> None:
    """Write a file that was never readable by others, whole or not at all."""
    draft = file.with_name(file.name + ".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    draft.replace(file)
