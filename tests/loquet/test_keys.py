"""Are a site's keys made whole, and kept from others?"""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from loquet import keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.make_site(tmp_path / "keys", ("front",))
    return tmp_path / "keys"


def test_a_site_has_a_pair_for_the_server_and_each_edge_and_a_credential_key(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == [
        "credential.key",
        "front.pem",
        "front.pub.pem",
        "server.pem",
        "server.pub.pem",
    ]
    assert len(bytes.fromhex((folder / "credential.key").read_text())) == 32


@pytest.mark.parametrize("name", ["server", "front"])
def test_the_halves_of_a_pair_belong_together(folder: Path, name: str) -> None:
    private = load_pem_private_key((folder / f"{name}.pem").read_bytes(), None)
    public = load_pem_public_key((folder / f"{name}.pub.pem").read_bytes())
    public.verify(private.sign(b"tap"), b"tap")  # type: ignore[union-attr, call-arg]


def test_nobody_else_can_read_what_is_secret(folder: Path) -> None:
    keys.make_password(folder / "front.password")
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("server.pem", "front.pem", "credential.key", "front.password"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name


def test_what_is_there_is_kept(folder: Path) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    keys.make_site(folder, ("front", "garage"))
    after = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"garage.pem", "garage.pub.pem"}


def test_two_sites_share_nothing(tmp_path: Path) -> None:
    for name in ("one", "other"):
        keys.make_site(tmp_path / name, ("front",))
    for name in ("server.pem", "front.pem", "credential.key"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_a_password_is_made_once(tmp_path: Path) -> None:
    made = keys.make_password(tmp_path / "p")
    assert len(made) >= 24
    assert keys.make_password(tmp_path / "p") == made
