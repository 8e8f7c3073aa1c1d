"""The files and the steps for the server's machine agree with each other and with the code."""

import argparse
import os
import re
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from keys.keyring import Keyring, Site
from loquet.main import COMMANDS
from loquet.server import CONFIG, add_arguments
from server.config import BrokerConfig, EdgeConfig
from server.config_file import load
from server.identity import Identity

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "firmware_config/README.md").read_text("utf-8")
KEYS = (ROOT / "docs/keys.md").read_text("utf-8")
INSTALL = (ROOT / "firmware_config/install").read_text("utf-8")
UNIT = (ROOT / "firmware_config/loquet-server.service").read_text("utf-8")
STATE = "/var/lib/loquet"


def parsed(words: str) -> argparse.Namespace:
    """What `loquet server` makes of a command line. Raises SystemExit for one that it does not take."""
    program, command, *options = words.split()
    assert program.endswith("loquet")
    assert (command, command in COMMANDS) == ("server", True)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(options)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("site") / "keys", Site("casaco", "broker.lan", ("front",)))


def test_the_service_calls_the_command_as_it_is() -> None:
    (line,) = re.findall(r"^ExecStart=(/opt/loquet/bin/.+)$", UNIT, re.MULTILINE)
    given = parsed(line)
    assert given.config == CONFIG
    assert (given.order, given.bundle, given.new_secrets, given.socket) == (None, None, False, None)


def test_the_service_comes_back_and_may_write_where_the_database_lies() -> None:
    assert {"Restart=always", "StartLimitIntervalSec=0", "User=loquet"} <= set(UNIT.splitlines())
    assert f"StateDirectory={Path(STATE).name}\n" in UNIT
    assert f"sudo install -d -o loquet -g loquet -m 700 {STATE}\n" in PAGE


def test_the_configuration_that_the_page_shows_is_loaded(ring: Keyring, tmp_path: Path) -> None:
    """With the folder that an installer carries and the blanks filled."""
    shown = re.search(r"^ *```toml\n(.+?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown is not None
    text = dedent(shown[1])
    for blank, value in (('public_key = "put the key here"', f'public_key = "{ring.public_hex("front")}"'),):
        assert text.count(f"\n{blank}\n") == 1
        text = text.replace(blank, value)
    file = tmp_path / CONFIG.name
    file.write_text(text, "utf-8")
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for carried in ring.server.iterdir():
        (keys / carried.name).touch(mode=0o600)
        (keys / carried.name).write_bytes(carried.read_bytes())
    config = load(file)
    ours = Identity(keys / "ca.crt", keys / "tls.crt", keys / "tls.key")
    assert config.broker == BrokerConfig("localhost", 8883, "server", "", ours)
    assert config.edges == (EdgeConfig("front", ring.public_hex("front"), ("front",)),)
    assert config.control == Path(STATE, "loquet.db.control")
    assert (config.database, config.staff_name) == (f"sqlite:///{STATE}/loquet.db", "")


def test_the_first_start_takes_the_bundle_that_was_put_there() -> None:
    (start,) = re.findall(r"^ +sudo -u loquet (loquet server .+)$", PAGE, re.MULTILINE)
    bundle = parsed(start).bundle
    assert re.search(rf"^ +sudo install .+ {re.escape(str(bundle))}$", PAGE, re.MULTILINE)
    assert bundle.parent == CONFIG.parent


def test_the_program_is_installed_from_files_that_are_there() -> None:
    """tools/on-pi runs it; here is seen that page, script and tree speak of the same."""
    for part in ("edge", "server"):
        assert f"`sudo firmware_config/install {part}`" in PAGE
        assert f"\n{part})" in INSTALL
        assert (ROOT / f"requirements/{part}.txt").exists()
    (copied,) = re.findall(r"^cp -r (.+) \"\$copy\"$", INSTALL, re.MULTILINE)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages < set(copied.split())
    assert all((ROOT / name).exists() for name in copied.split())
    assert "ln -sf /opt/loquet/bin/loquet /usr/local/bin/" in INSTALL
    assert os.access(ROOT / "firmware_config/install", os.X_OK)


def test_what_cannot_be_installed_is_told(tmp_path: Path) -> None:
    for words, told in (((), "say which part"), (("door",), "say which part")):
        ended = subprocess.run(["/bin/sh", ROOT / "firmware_config/install", *words], capture_output=True, text=True)
        assert (ended.returncode, told in ended.stderr) == (2, True)


@pytest.mark.parametrize("part", ["broker", "server", "edges/front"])
def test_each_folder_is_carried_before_it_is_put_in_place(part: str) -> None:
    carried = rf"scp -r casaco-keys/{part} admin@\w+:loquet-keys\n\n(.+?)rm -r loquet-keys"
    (steps,) = re.findall(carried, KEYS, re.DOTALL)
    made, copied, owner = (step.strip() for step in steps.strip().splitlines()[:3])
    folder = made.removeprefix("sudo install -d -m 700 ")
    assert copied == f"sudo cp loquet-keys/* {folder}/"
    assert owner.startswith("sudo chown -R ")
    assert folder.startswith(owner.split()[-1])


def test_the_keys_lie_beside_the_configuration() -> None:
    assert f"sudo install -d -m 700 {CONFIG.parent}/keys\n" in KEYS
