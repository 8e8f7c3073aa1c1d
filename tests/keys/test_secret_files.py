"""Are secrets written whole, and never where others could read them?"""

from pathlib import Path

import pytest

from keys.secret_files import make_folder, make_password, write_secret


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    write_secret(tmp_path / "key", b"secret")
    assert (tmp_path / "key").read_bytes() == b"secret"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_could_read_is_replaced_not_filled(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "key").chmod(0o644)
    with (tmp_path / "key").open("rb") as opened:
        write_secret(tmp_path / "key", b"secret")
        assert opened.read() == b"old"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_draft_that_a_power_cut_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".key.new").write_bytes(b"half")
    (tmp_path / ".key.new").chmod(0o644)
    write_secret(tmp_path / "key", b"secret")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_takes_no_more_leaves_what_was_there(tmp_path: Path) -> None:
    write_secret(tmp_path / "key", b"old")
    (tmp_path / ".key.new").mkdir()
    with pytest.raises(OSError, match=r"\.key\.new"):
        write_secret(tmp_path / "key", b"secret")
    assert (tmp_path / "key").read_bytes() == b"old"


def test_a_folder_is_shut_to_others(tmp_path: Path) -> None:
    make_folder(tmp_path / "new" / "keys")
    assert (tmp_path / "new" / "keys").stat().st_mode & 0o777 == 0o700


def test_a_password_is_made_once(tmp_path: Path) -> None:
    made = make_password(tmp_path / "password")
    assert len(made) >= 24
    assert make_password(tmp_path / "password") == made
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
