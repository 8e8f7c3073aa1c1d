"""`loquet server`: what it prints, and how it refuses."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec import structs
from pyrage import x25519
from sqlalchemy import update
from sqlmodel import col, select

from keys.pem import of_key
from loquet.main import main
from policy.bundle import Bundle
from policy.parse import export
from server import control
from server.database.engine import beside_the_server
from server.errors import ServerError
from server.main import TURN, Server
from server.models import AuditRow, Member, Presence
from server.passwords import hash_token, is_password
from tests.support_pages import CHEAP_HASH, CREDENTIAL_KEY, SERVER_KEY, TOKEN
from tests.support_server import FRONT_KEY, public, site_database, small_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secrets = {
        "server.pem": SERVER_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "credential.key": CREDENTIAL_KEY.hex().encode(),
        "broker.password": b"a password drawn at random",
    }
    for name, content in secrets.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "site.json").write_bytes(export(small_bundle()))
    (tmp_path / "server.toml").write_text(f"""
database = "sqlite:///{tmp_path}/loquet.db"
[keys]
server = "server.pem"
credential = "credential.key"
[broker]
host = "127.0.0.1"
port = 1
username = "server"
password_file = "broker.password"
[http]
port = 0
[staff]
name = "equipe"
password_hash = "{CHEAP_HASH}"
[api]
token_hash = "{hash_token(TOKEN)}"
[[edges]]
id = "front"
public_key = "{public(FRONT_KEY)}"
access_points = ["front"]
""")
    return tmp_path


def test_new_secrets_fit_their_hashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--new-secrets"]) == 0
    printed = capsys.readouterr().out
    password, token = re.findall(r"(?:Staff password|API token) +(\S+)", printed)
    [password_hash] = re.findall(r'password_hash = "(.+)"', printed)
    assert is_password(password_hash, password)
    assert f'token_hash = "{hash_token(token)}"' in printed


@pytest.mark.parametrize("flag", [["--new-secrets"], ["--bundle", "site.json"]])
def test_an_order_is_not_given_with_what_it_would_ignore(capsys: pytest.CaptureFixture[str], flag: list[str]) -> None:
    assert main(["server", "open", "front", "--socket", "nowhere", *flag]) == 2
    assert "nothing was done" in capsys.readouterr().err


def test_without_a_socket_an_order_is_told_how_to_get_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = (folder / "server.toml").read_text()
    (folder / "server.toml").write_text(re.sub('database = ".*"', 'database = "postgresql://db/loquet"', written))
    assert main(["server", "--config", str(folder / "server.toml"), "open", "front"]) == 2
    assert 'name one before [keys], as socket = "/var/lib/loquet/control"' in capsys.readouterr().err


def test_a_config_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--config", str(tmp_path / "none.toml")]) == 2
    assert f"loquet server: {tmp_path}/none.toml: No such file" in capsys.readouterr().err


def test_a_bundle_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "--config", str(folder / "server.toml"), "--bundle", str(folder / "none.json")]) == 2
    assert "none.json: cannot be read (No such file or directory): give the path of a bundle" in capsys.readouterr().err


def test_a_bundle_with_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.json").write_text('{"format": "loquet.bundle/1"}')
    assert main(["server", "--config", str(folder / "server.toml"), "--bundle", str(folder / "site.json")]) == 2
    assert "site" in capsys.readouterr().err


def test_a_bundle_that_cannot_be_compiled(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = small_bundle()
    nowhere = structs.replace(site.site, holidays="XX")
    (folder / "site.json").write_bytes(export(structs.replace(site, site=nowhere)))
    assert main(["server", "--config", str(folder / "server.toml"), "--bundle", str(folder / "site.json")]) == 2
    assert "site.holidays 'XX': not known" in capsys.readouterr().err


def imports(folder: Path, bundle: Bundle, *more: str) -> int:
    """How `loquet server --bundle` ends, where the server itself does not start."""
    (folder / "site.json").write_bytes(export(bundle))
    command = ["server", "--config", str(folder / "server.toml"), "--bundle", str(folder / "site.json")]
    return main([*command, *more])


@pytest.fixture
def stays_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_server: Server) -> None:
        raise ServerError("enough")

    monkeypatch.setattr(Server, "start", start)
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("stays_down")
def test_what_a_bundle_would_end_is_said_and_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(folder, small_bundle())
    smaller = structs.replace(small_bundle(), shifts=())
    capsys.readouterr()
    assert imports(folder, smaller) == 2
    said = capsys.readouterr().err
    assert "  shifts: s1\n" in said
    assert "nothing was imported; where that is meant, say --agree" in said
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for answer, end in (("no", "nothing was imported"), ("yes", "enough")):
        monkeypatch.setattr("builtins.input", lambda _asked, answer=answer: answer)
        assert imports(folder, smaller) == 2
        assert end in capsys.readouterr().err
    imports(folder, small_bundle())
    capsys.readouterr()
    assert imports(folder, smaller, "--agree") == 2
    assert "enough" in capsys.readouterr().err


@pytest.mark.usefixtures("stays_down")
def test_a_badge_that_was_stolen_stays_so_unless_it_is_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    stolen = tuple(structs.replace(badge, status="stolen") for badge in small_bundle().credentials)
    imports(folder, structs.replace(small_bundle(), credentials=stolen))
    imports(folder, small_bundle())
    uids = [badge.uid.upper() for badge in small_bundle().credentials]
    assert all(f"badge …{uid[-4:]} stays blocked" in caplog.text for uid in uids)
    assert not any(uid in caplog.text for uid in uids)
    caplog.clear()
    imports(folder, small_bundle(), *(word for uid in uids for word in ("--unblock", uid)))
    assert "stays blocked" not in caplog.text


@pytest.mark.usefixtures("stays_down")
def test_a_bundle_may_be_stored_without_serving(folder: Path) -> None:
    assert imports(folder, small_bundle(), "--store-only") == 0
    with beside_the_server(f"sqlite:///{folder}/loquet.db") as session:
        assert len(session.exec(select(Member)).all()) == len(small_bundle().members)


@pytest.mark.parametrize("flags", [["--agree"], ["--store-only"], ["--unblock", "04A11CE0"]])
def test_without_a_bundle_there_is_nothing_to_agree_to(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    assert main(["server", "--config", str(folder / "server.toml"), *flags]) == 2
    assert "go with --bundle FILE" in capsys.readouterr().err


def test_it_runs_tuned(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    turns: list[float] = []

    def start(_server: Server) -> None:
        turns.append(sys.getswitchinterval())
        raise ServerError("enough")

    monkeypatch.setattr(Server, "start", start)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(["server", "--config", str(folder / "server.toml"), "--bundle", str(folder / "site.json")]) == 2
    assert "enough" in capsys.readouterr().err
    assert turns == [pytest.approx(TURN)]


def test_the_command_says_how_the_chain_stands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While the server's own process has the database open."""
    config = folder / "server.toml"
    with closing(site_database(folder)) as database:
        assert main(["server", "audit", "--verify", "--config", str(config)]) == 0
        noted = re.findall(r"the last link is (\w{64})", capsys.readouterr().out)
        assert main(["server", "audit", "--verify", *noted, "--config", str(config)]) == 0
        assert main(["server", "audit", "--verify", "ab" * 32, "--config", str(config)]) == 1
        with database.transaction() as session:
            session.exec(update(AuditRow).where(col(AuditRow.id) == 2).values(why="une autre"))  # type: ignore[call-overload]
        capsys.readouterr()
        assert main(["server", "audit", "--verify", "--config", str(config)]) == 1
        assert "broken at row 2" in capsys.readouterr().out
    assert main(["server", "audit", "--config", str(config)]) == 2
    assert "loquet server audit --verify" in capsys.readouterr().err


def test_a_site_is_taken_along_beside_the_running_server(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, to = str(folder / "server.toml"), folder / "moving"
    with closing(site_database(folder)):
        assert main(["server", "export", str(to), "--moving", "--config", config]) == 0
        assert "5 members, 1 carnets, 0 minutes of the bank as 0 credits" in capsys.readouterr().out
        assert (to / "bundle.json").exists()
        for wrong in (["export", str(to)], ["export", "--moving"], ["audit", "--verify", "--badges"]):
            assert main(["server", *wrong, "--config", config]) == 2
            assert "loquet server export FOLDER --moving" in capsys.readouterr().err


def test_the_command_says_whether_all_is_forgotten_that_should_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(folder / "server.toml")
    with closing(site_database(folder)) as database:
        assert main(["server", "purge", "--check", "--config", config]) == 0
        assert "purge: clean" in capsys.readouterr().out
        with database.transaction() as session:
            session.add(Presence(member="alice", at=datetime(2020, 1, 1, tzinfo=UTC), inside=False))
        assert main(["server", "purge", "--check", "--config", config]) == 1
        assert "presence: 1 rows that are too old" in capsys.readouterr().out
    assert main(["server", "purge", "--config", config]) == 2
    (folder / "server.toml").write_text("retention_days = 91\n" + (folder / "server.toml").read_text())
    assert main(["server", "purge", "--check", "--config", config]) == 2
    assert "retention_days 91" in capsys.readouterr().err


def test_it_serves_until_it_is_asked_to_end(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "loquet",
        "server",
        "--config",
        folder / "server.toml",
        "--bundle",
        folder / "site.json",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr is not None
        address = next(found[1] for line in process.stderr if (found := re.search(r"pages at (http://\S+)", line)))
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:  # noqa: S310 - our own server
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0


def test_a_socket_that_cannot_be_made_ends_it_with_the_remedy(folder: Path) -> None:
    (folder / "loquet.db.control").mkdir()
    command = [sys.executable, "-m", "loquet", "server", "--config", folder / "server.toml"]
    ended = subprocess.run(
        [*command, "--bundle", folder / "site.json"], stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "loquet.db.control: is there already, and is no socket" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_who_may_not_use_the_socket_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_path: Path, _request: control.Request) -> control.Answer:
        raise PermissionError(13, "Permission denied")  # as root, who runs the tests, one is refused nothing

    monkeypatch.setattr(control, "ask", refused)
    assert main(["server", "open", "front", "--socket", str(tmp_path / "s")]) == 2
    assert "run it as the server's user, or with sudo" in capsys.readouterr().err


def test_a_server_that_ends_before_it_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        ending = threading.Thread(target=lambda: hears_and_ends(listener))
        ending.start()
        assert main(["server", "open", "front", "--socket", str(tmp_path / "s")]) == 2
        ending.join()
    assert "whether the order was carried out" in capsys.readouterr().err


def hears_and_ends(listener: socket.socket) -> None:
    caller, _ = listener.accept()
    with caller:
        assert caller.recv(4096)


def test_a_sealed_copy_is_made_and_comes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, told = ["--config", str(folder / "server.toml")], folder / "server.toml"
    site_database(folder).close()
    assert main(["server", "backup", *config]) == 2
    assert "has no [backup], so no copies are made" in capsys.readouterr().err
    identity = x25519.Identity.generate()
    (folder / "identity.txt").write_text(str(identity))
    (folder / "copies").mkdir()
    told.write_text(f'{told.read_text()}[backup]\nrecipient = "{identity.to_public()}"\nfolder = "{folder}/copies"\n')
    assert main(["server", "backup", *config]) == 0
    (copy,) = (folder / "copies").glob("*.age")
    assert capsys.readouterr().out.startswith(f"{copy}: made in ")
    assert main(["server", "backup", "--if-due", *config]) == 0
    assert capsys.readouterr().out == ""
    (folder / "loquet.db").unlink()
    assert main(["server", "restore", str(copy), *config]) == 2
    assert "is sealed: name with --identity" in capsys.readouterr().err
    opening = ["server", "restore", str(copy), "--identity", str(folder / "identity.txt"), *config]
    (folder / "older.pem").write_bytes(of_key(Ed25519PrivateKey.generate()))
    (folder / "older.pem").chmod(0o600)
    assert main([*opening, "--signed-by", str(folder / "older.pem")]) == 2
    assert "this server's key did not sign it" in capsys.readouterr().err
    assert main(opening) == 2
    assert "nobody knows which badges were blocked since it was made" in capsys.readouterr().err
    assert not (folder / "loquet.db").stat().st_size
    assert main([*opening, "--agree"]) == 0
    with beside_the_server(f"sqlite:///{folder}/loquet.db") as session:
        assert len(session.exec(select(Member)).all()) == len(small_bundle().members)
