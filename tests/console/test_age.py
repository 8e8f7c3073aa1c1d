"""Sealing without age's library, by Debian's program, as on 32-bit systems: each opens what the other sealed."""

from pathlib import Path

import pytest

from console import age
from console.age import AgeError
from keys.backup import new_identity, recipient


def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "library", None)


def test_library_and_program_open_what_the_other_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert age.library is not None
    plain, identity = tmp_path / "plain", tmp_path / "identity.txt"
    plain.write_bytes(b"a copy" * 50_000)
    identity.write_bytes(new_identity(identity))
    to = recipient(identity)
    age.seal(plain, tmp_path / "by-library", to)
    without_library(monkeypatch)
    assert recipient(identity) == to
    age.check(to)
    age.seal(plain, tmp_path / "by-program", to)
    age.unseal(tmp_path / "by-library", tmp_path / "1", age.secrets(identity))
    monkeypatch.undo()
    age.unseal(tmp_path / "by-program", tmp_path / "2", age.secrets(identity))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == plain.read_bytes()


def test_a_key_of_the_program_is_one_of_the_library_and_the_older_one_stays_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = tmp_path / "identity.txt"
    identity.write_bytes(new_identity(identity))
    (first,) = age.secrets(identity)
    without_library(monkeypatch)
    identity.write_bytes(new_identity(identity))
    monkeypatch.undo()
    newest, older = age.secrets(identity)
    assert (older, newest.startswith(age.SECRET)) == (first, True)
    assert newest != older


@pytest.mark.parametrize("program", [False, True], ids=["library", "program"])
def test_what_does_not_fit_is_told_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: bool
) -> None:
    secret = age.new_secret()
    (tmp_path / "plain").write_bytes(b"names")
    (tmp_path / "none").write_text("age1abc")
    age.seal(tmp_path / "plain", tmp_path / "sealed", age.public(secret))
    if program:
        without_library(monkeypatch)
    with pytest.raises(AgeError, match=r"(?i)no (matching keys|identity matched)"):
        age.unseal(tmp_path / "sealed", tmp_path / "out", [age.new_secret()])
    with pytest.raises(AgeError, match="no secret key"):
        age.secrets(tmp_path / "none")
    for wrong in ("age1abc", secret):
        with pytest.raises(AgeError) as raised:
            age.check(wrong)
        assert secret not in str(raised.value)


def test_a_machine_with_neither_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AgeError, match="there is no age: sudo apt-get install age"):
        age.check("age1abc")
