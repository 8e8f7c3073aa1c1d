"""An edge's folder on disk: the sample edge.toml with fresh keys, and the server's key to sign with."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SAMPLE = Path(__file__).parent.parent / "firmware_config" / "edge-door.toml"


@dataclass(frozen=True)
class Folder:
    """config: the edge.toml in it. server: signs as the server. own: the edge's key."""

    config: Path
    server: Ed25519PrivateKey
    own: Ed25519PrivateKey
    password: str

    def replace(self, old: str, new: str) -> Path:
        """Change one piece of the edge.toml, which must be there."""
        text = self.config.read_text()
        assert text.count(old) >= 1, f"{old!r} is not in the sample"
        self.config.write_text(text.replace(old, new, 1))
        return self.config

    def key(self, name: str) -> Path:
        return self.config.parent / "keys" / name


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_secret(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    os.chmod(path, mode)


def make_folder(folder: Path) -> Folder:
    """The sample, its keys and its password in a folder; the journal lies there too."""
    own, server, password = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), secrets.token_hex(16)
    (folder / "keys").mkdir(parents=True)
    write_secret(folder / "keys" / "edge.pem", private_pem(own))
    write_secret(folder / "keys" / "server.pub.pem", public_pem(server), 0o644)
    write_secret(folder / "keys" / "credential.hex", secrets.token_hex(32).encode() + b"\n")
    write_secret(folder / "keys" / "broker.pass", password.encode() + b"\n")
    made = Folder(folder / "edge.toml", server, own, password)
    made.config.write_text(SAMPLE.read_text())
    made.replace("/var/lib/loquet/journal.db", "journal.db")
    return made
