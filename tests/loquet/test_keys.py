"""Does `loquet keys` say what was made, what to carry where and what to restart, and never a secret?"""

import shutil
import time
from pathlib import Path

import pytest

from keys.keyring import Keyring
from loquet.main import main
from policy.instants import text


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "keys"
    arguments = [
        "keys",
        "init",
        str(folder),
        "--site",
        "casaco",
        "--broker",
        "broker.lan",
        "--edges",
        "front",
        "garage",
    ]
    assert main(arguments) == 0
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path, ends: int = 0) -> str:
    """What one more step prints, on either stream."""
    capsys.readouterr()
    assert main(["keys", *map(str, arguments)]) == ends
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_new_site_is_told_where_everything_belongs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = capsys.readouterr().out
    assert f"{folder}/broker -> /etc/mosquitto/loquet" in out
    assert f"{folder}/server -> /etc/loquet/server/keys" in out
    assert f"{folder}/edges/garage -> /etc/loquet/keys" in out
    assert "sudo systemctl restart mosquitto" in out
    ring = Keyring.open(folder)
    assert f'public_key = "{ring.public_hex("garage")}"' in out


def test_what_is_there_already_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["init", folder, "--site", "casaco", "--broker", "broker.lan", "--edges", "front", "garage"]
    out = said(capsys, *again)
    assert out.startswith(
        f"{folder}: holds the keys of casaco already; they are as they were.\nNothing was missing, noth"
    )
    assert f"{folder}/broker -> /etc/mosquitto/loquet" in out
    for name in ("broker/ca.crt", "edges/garage/edge.pem"):
        (folder / name).unlink()
    made = "Made now, for it was missing or did not fit: edges/garage/edge.pem, broker/ca.crt"
    assert said(capsys, *again).splitlines()[1] == made


def test_an_edge_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "add", folder, "laser")
    ring = Keyring.open(folder)
    assert f'public_key = "{ring.public_hex("laser")}"' in out
    assert f"{folder}/edges/laser -> /etc/loquet/keys" in out
    assert "restart mosquitto" in out
    assert "front" not in out


def test_a_revocation_says_that_the_broker_must_be_restarted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "revoke", folder, "garage")
    assert "until then it is in" in out
    assert f"{folder}/broker -> /etc/mosquitto/loquet" in out
    assert "sudo systemctl restart mosquitto" in out
    assert 'in place of the [[edges]] with id = "garage"; then restart the server' in out


@pytest.mark.parametrize(
    ("given", "told"),
    [("2026-11-24T18:00+01:00", "2026-11-24T17:00:00.000Z"), (None, text(time.time_ns() // 1_000_000)[:10])],
)
def test_a_revocation_says_since_when_nothing_is_believed(
    folder: Path, capsys: pytest.CaptureFixture[str], given: str | None, told: str
) -> None:
    out = said(capsys, "revoke", folder, "garage", *(("--since", given) if given else ()))
    assert f'  [[revoked]]\n  id = "garage"\n  since = "{told}' in out


@pytest.mark.parametrize(
    ("part", "carried"),
    [
        ("front", ["edges/front"]),
        ("broker", ["broker"]),
        ("server", ["server", "edges/front", "edges/garage"]),
        ("credential", ["server", "edges/front", "edges/garage"]),
        ("authority", ["broker", "server", "edges/front", "edges/garage"]),
    ],
)
def test_a_rotation_says_whom_it_concerns(
    folder: Path, capsys: pytest.CaptureFixture[str], part: str, carried: list[str]
) -> None:
    out = said(capsys, "rotate", folder, part)
    assert [line.split(" -> ")[0].strip() for line in out.splitlines() if " -> " in line] == [
        f"{folder}/{place}" for place in carried
    ]
    assert ("public_key" in out) == (part == "front")


def test_several_are_rotated_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "rotate", folder, "broker", "front", "--broker", "10.0.0.7")
    assert f"{folder}/broker -> " in out
    assert f"{folder}/edges/front -> " in out
    assert f"{folder}/edges/garage -> " not in out
    assert out.count("public_key") == 1


def test_a_broker_that_moves_is_said_for_every_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert '[broker] host = "10.0.0.7"' in said(capsys, "rotate", folder, "broker", "--broker", "10.0.0.7")


def test_the_list_names_everybody_and_shows_no_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "revoke", str(folder), "garage"])
    out = said(capsys, "list", folder)
    ring = Keyring.open(folder)
    assert [line.split(":")[0] for line in out.splitlines()[1:]] == [
        "authority",
        "backup",
        "broker",
        "server",
        "front",
        "revoked",
    ]
    assert f"backup: copies are sealed to {ring.recipient}" in out
    assert "front: certificate " in out
    assert f"no end, signs as {ring.public_hex('front')}" in out
    for file in folder.rglob("*"):
        if file.suffix in (".key", ".hex") or file.name in ("edge.pem", "server.pem", "identity.txt"):
            assert not any(line in out for line in file.read_text().splitlines() if len(line) > 10), file


def test_the_list_says_what_does_not_fit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "edges/front/tls.crt").write_bytes((folder / "edges/garage/tls.crt").read_bytes())
    out = said(capsys, "list", folder, ends=2)
    assert f"DOES NOT FIT its key: loquet keys rotate {folder} front" in out
    assert f"tls.crt: is of 'garage': loquet keys rotate {folder} front" in out
    assert out.splitlines()[-1] == f"loquet keys: {folder}: 2 wrong, each named above with its remedy"


def test_an_authority_that_does_not_fit_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "authority/ca.key").write_bytes((folder / "server/tls.key").read_bytes())
    assert f"DOES NOT FIT its key: loquet keys rotate {folder} authority" in said(capsys, "list", folder, ends=2)


FILES = (
    "authority/ca.key", "authority/ca.crt", "broker/tls.key", "broker/tls.crt", "broker/ca.crt", "broker/loquet.conf",
    "broker/loquet.acl", "server/tls.key", "server/tls.crt", "server/ca.crt", "server/server.pem",
    "server/credential.hex", "edges/front/tls.key", "edges/front/tls.crt", "edges/front/ca.crt", "edges/front/edge.pem",
    "edges/front/server.pub.pem", "edges/front/credential.hex",
)  # fmt: skip
SECRET = [file for file in FILES if file.endswith((".key", ".hex", "server.pem", "edge.pem"))]


def wrong(out: str) -> list[str]:
    return [line.removeprefix("  WRONG: ") for line in out.splitlines() if line.startswith("  WRONG: ")]


OWNED = {
    "authority/ca.key": "authority", "broker/tls.key": "broker", "server/tls.key": "server",
    "server/server.pem": "server", "server/credential.hex": "credential", "edges/front/tls.key": "front",
    "edges/front/edge.pem": "front",
}  # fmt: skip
"""The secrets that are not copies, and whose they are."""


@pytest.mark.parametrize("damage", ["missing", "spoilt"])
@pytest.mark.parametrize("name", FILES)
def test_the_remedy_of_the_list_renews_what_it_must_and_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    before = {owned: (folder / owned).read_bytes() for owned in OWNED}
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_text("0123\n")
    out = said(capsys, "list", folder, ends=2)
    (found,) = wrong(out)
    assert found.startswith(f"{folder}/{name}: is ")
    assert {"authority", "broker", "server", "front", "garage"} <= {line.split(":")[0] for line in out.splitlines()}
    remedy = found.rpartition(": loquet keys ")[2].split()
    assert remedy == (["rotate", str(folder), OWNED[name]] if name in OWNED else ["mend", str(folder)])
    said(capsys, *remedy)
    assert wrong(said(capsys, "list", folder)) == []
    changed = {owned for owned, content in before.items() if (folder / owned).read_bytes() != content}
    assert changed == {owned for owned in OWNED if OWNED[owned] == OWNED.get(name)}


def test_what_is_mended_is_said_and_where_it_belongs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing was missing, nothing was made" in said(capsys, "mend", folder)
    (folder / "broker/tls.crt").write_text("x")
    shutil.rmtree(folder / "edges/garage")
    out = said(capsys, "mend", folder)
    assert out.startswith(
        "Made anew: edges/garage/tls.key, edges/garage/edge.pem, broker/tls.crt, edges/garage/tls.crt"
    )
    assert f"{folder}/broker -> " in out
    assert f"{folder}/edges/garage -> " in out
    assert f"{folder}/edges/front -> " not in out
    assert out.count("public_key") == 1, "the edge that signs with a new key now"


def test_nothing_is_mended_while_a_key_is_lost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the authority's certificate, too: what is lost is not taken for a first command that was cut short."""
    (folder / "authority/ca.crt").unlink()
    (folder / "server/credential.hex").write_text("x")
    good = (folder / "edges/front/credential.hex").read_bytes()
    for step in (["mend", folder], ["rotate", folder, "garage"], ["add", folder, "lab"]):
        assert "credential.hex: is damaged" in said(capsys, *step, ends=2)
    assert (folder / "edges/front/credential.hex").read_bytes() == good, "a copy of it may be the last good one"


@pytest.mark.parametrize("name", SECRET)
def test_the_list_names_a_secret_that_others_can_read(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / name).chmod(0o644)
    (found,) = wrong(said(capsys, "list", folder, ends=2))
    assert found.startswith(
        f"{folder}/{name}: others can read it: chmod 600 {folder}/{name}; if anybody has: loquet keys"
    )
    assert found.endswith(f" {OWNED.get(name, 'credential')}")
    (folder / name).chmod(0o600)
    assert wrong(said(capsys, "list", folder)) == []


MISLAID = {
    "certificate and key": (("tls.crt", "tls.key"), "front/tls.crt: is of 'garage'"),
    "signing key": (("edge.pem",), "front/edge.pem: 'garage' signs with the same key"),
}


@pytest.mark.parametrize("case", MISLAID)
def test_files_in_the_wrong_folder_are_named(folder: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    names, words = MISLAID[case]
    for name in names:
        (folder / "edges/front" / name).write_bytes((folder / "edges/garage" / name).read_bytes())
    found = wrong(said(capsys, "list", folder, ends=2))
    assert any(words in line and f"loquet keys rotate {folder} front" in line for line in found)


FOREIGN = {
    "edges/front/credential.hex": "ab" * 32,
    "edges/front/server.pub.pem": "another key",
    "broker/loquet.acl": "garbage",
    "broker/loquet.conf": "garbage",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_of_another_site_is_named(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (folder / name).write_text(FOREIGN[name])
    (found,) = wrong(said(capsys, "list", folder, ends=2))
    assert found.startswith(f"{folder}/{name}: is not what this site's others are made from: loquet keys mend")
    said(capsys, *found.rpartition(": loquet keys ")[2].split())
    assert wrong(said(capsys, "list", folder)) == []


def test_a_credential_key_that_is_too_short_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "server/credential.hex").write_text("ab")
    (found,) = wrong(said(capsys, "list", folder, ends=2))
    assert found.startswith(f"{folder}/server/credential.hex: is damaged, or something else: take it from a copy")
    assert f"loquet keys rotate {folder} credential" in found, "and the edges' copies are left alone: they are good"


def test_the_list_names_everything_that_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "authority").chmod(0o750)
    (folder / "server/tls.key").unlink()
    (folder / "edges/front/edge.pem").write_text("nothing")
    (folder / "edges/garage/credential.hex").unlink()
    (folder / "edges/garage/credential.hex").mkdir()
    out = said(capsys, "list", folder, ends=2)
    assert [line.partition(": ")[2].split(":")[0] for line in wrong(out)] == [
        "others can enter it",
        "is not there",
        "is damaged, or something else",
        "cannot be read (Is a directory)",
    ]
    assert "4 wrong" in out


def test_a_list_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "edges/front/ca.crt").unlink()
    said(capsys, "list", folder, ends=2)
    assert not (folder / "edges/front/ca.crt").exists()


WRONG = {
    "nobody of that name": (["revoke", "FOLDER", "attic"], "'attic': there is no such edge"),
    "no site there": (["list", "FOLDER/none"], "no site's keys; make them with: loquet keys init"),
    "an address of somebody else": (["rotate", "FOLDER", "front", "--broker", "x"], "--broker HOST: only with broker"),
    "no host to move to": (
        ["rotate", "FOLDER", "broker", "--broker", "a b"],
        "--broker 'a b': neither a host name nor",
    ),
    "no host": (
        ["init", "FOLDER-2", "--site", "a", "--broker", "a b"],
        "write it as broker.lan, 192.168.1.5 or fd00::5",
    ),
    "a key of another kind": (
        ["rotate", "FOLDER", "garage"],
        "front/tls.key: is damaged, or something else: take it from a copy of the folder, or make a new one",
    ),
    "no room": (["init", "FOLDER/site.json/keys", "--site", "a", "--broker", "b"], "Not a directory: see to room"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_is_named_with_its_remedy(folder: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    if case == "a key of another kind":
        (folder / "edges/front/tls.key").write_bytes((folder / "edges/front/edge.pem").read_bytes())
    arguments, words = WRONG[case]
    out = said(capsys, *(word.replace("FOLDER", str(folder)) for word in arguments), ends=2)
    assert words in out
