"""Printers in edge.toml: read with their keys, and every mistake refused by name without the key."""

from pathlib import Path

import pytest

from edge.config import Config, load
from edge.devices.plugs import PlugSetup
from edge.devices.watch import PrinterSetup
from edge.machine import MachineSetup
from edge.sensed import SensedSetup
from edge.tables import ConfigError
from policy.terms import MINUTE
from tests.support_edge import SAMPLE, Folder, make_folder, write_secret


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = make_folder(tmp_path / "site", SAMPLE.with_name("edge-machine.toml"))
    write_secret(made.config.parent / "keys" / "octoprint.key", b"0F1E2D3C4B5A\n")
    return made


def printer(folder: Folder, written: str) -> Config:
    lines = "\n".join(written.split(", "))
    folder.config.write_text(f"{folder.config.read_text()}\n[machine.cnc.printer]\n{lines}\n")
    return load(folder.config)


OCTO = 'kind = "octoprint", key_file = "keys/octoprint.key", '
LOCAL = 'url = "http://127.0.0.1:5000"'


def test_a_printer_is_read_with_its_key(folder: Folder) -> None:
    config = printer(folder, OCTO + LOCAL)
    (setup,) = config.printers
    assert isinstance(setup, PrinterSetup)
    assert (setup.machine, setup.kind) == ("cnc", "octoprint")
    assert (setup.address.host, setup.address.port, setup.address.tls) == ("127.0.0.1", 5000, False)
    assert setup.address.key == "0F1E2D3C4B5A"
    assert "0F1E2D3C4B5A" not in repr(config)
    assert [place.has_printer for place in config.places if isinstance(place, MachineSetup)] == [True]


def test_moonraker_that_trusts_this_edge_needs_no_key(folder: Folder) -> None:
    (setup,) = printer(folder, 'kind = "moonraker", url = "http://voron.lan:7125"').printers
    assert (setup.address.port, setup.address.key) == (7125, "")


def test_https_is_checked_by_the_authority_that_is_named(folder: Folder) -> None:
    (setup,) = printer(folder, OCTO + 'url = "https://octopi.lan", ca = "keys/server.pub.pem"').printers
    assert (setup.address.port, setup.address.tls) == (443, True)
    assert setup.address.ca == folder.config.parent / "keys" / "server.pub.pem"


PRUSA = 'kind = "prusalink", url = "http://mk4.lan", '
WRONG = {
    "kind": (LOCAL + ', kind = "bambu"', ("cnc.printer.kind = 'bambu'", '"prusalink"')),
    "no url": ('kind = "moonraker"', ("machine.cnc.printer.url is missing",)),
    "no address": (OCTO + 'url = "octopi.lan"', ("machine.cnc.printer.url: write the address",)),
    "a path": (OCTO + 'url = "http://127.0.0.1/api/job"', ("without a path",)),
    "a port": (OCTO + 'url = "http://127.0.0.1:99999"', ("write the address",)),
    "no key": (LOCAL, ("OctoPrint wants key_file", "STATUS")),
    "no password": (PRUSA + 'user = "maker"', ("PrusaLink wants user and key_file",)),
    "a name for no password": (OCTO + LOCAL + ', user = "maker"', ("only PrusaLink asks for a name",)),
    "plain text": (OCTO + 'url = "http://octopi.lan"', ("would leave this machine in plain text", "https://")),
    "no key file": (LOCAL + ', key_file = "keys/none"', ("keys/none: cannot be read",)),
    "no authority": (OCTO + 'url = "https://o.lan", ca = "keys/none.crt"', ("keys/none.crt: cannot be read",)),
    "unknown": (OCTO + LOCAL + ", colour = 3", ("machine.cnc.printer.colour = 3", "unknown key")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_refused_by_name(folder: Folder, case: str) -> None:
    written, wanted = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        printer(folder, written)
    assert all(words in str(caught.value) for words in wanted), str(caught.value)


def test_a_password_in_the_address_is_refused_and_not_shown(folder: Folder) -> None:
    with pytest.raises(ConfigError, match="without a path, name or password") as caught:
        printer(folder, OCTO + 'url = "http://maker:opensesame@127.0.0.1"')
    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", "clé\n".encode()])
def test_a_key_file_without_a_key_is_refused(folder: Folder, content: bytes) -> None:
    write_secret(folder.config.parent / "keys" / "octoprint.key", content)
    with pytest.raises(ConfigError, match="no key in its first line"):
        printer(folder, OCTO + LOCAL)


PLUG = 'kind = "tasmota"\nname = "prise-3"'
BROKER = '[plug_broker]\nhost = "127.0.0.1"\nusername = "fablab"\npassword_file = "keys/broker.pass"\n'


def plug(folder: Folder, written: str = PLUG, *, machine: str = "estop = false", broker: str = BROKER) -> Config:
    """The sample's machine on a plug in place of its relay."""
    whole = folder.config.read_text()
    before, after = whole[: whole.index("[machine.cnc]")], f'[machine.cnc]\nreader = "cnc"\n{machine}\n'
    folder.config.write_text(f"{before}{after}[machine.cnc.plug]\n{written}\n{broker}")
    return load(folder.config)


def test_a_plug_may_be_the_current_sensor_and_the_only_one(folder: Folder) -> None:
    watts = PLUG + "\ncurrent_above = 20"
    beside = "estop = false\ninterlock = { line = 17 }\nidle_after = 15"
    config = plug(folder, watts, machine=beside)
    assert [one.current_above for one in config.plugs] == [20.0]
    sensed = SensedSetup(current=True, idle_after=15 * MINUTE, warns=True, watts=20.0)
    assert [place.sensed for place in config.places if isinstance(place, MachineSetup)] == [sensed]
    with pytest.raises(ConfigError, match="leave one out"):
        plug(folder, watts, machine=beside + '\ncurrent = { line = 5, pull = "up" }')
    with pytest.raises(ConfigError, match="a number from 1 to 10000: the watts"):
        plug(folder, PLUG + "\ncurrent_above = 0", machine=beside)


def test_a_plug_in_place_of_an_interlock_switches_and_one_beside_it_does_not(folder: Folder) -> None:
    config = plug(folder)
    assert config.plugs == (PlugSetup("cnc", "tasmota", "prise-3", switches=True),)
    assert config.plug_broker is not None
    assert [place.plugged for place in config.places if isinstance(place, MachineSetup)] == [True]
    config = plug(folder, machine="estop = false\ninterlock = { line = 17 }")
    assert [one.switches for one in config.plugs] == [False]
    assert [place.plugged for place in config.places if isinstance(place, MachineSetup)] == [False]


WRONG_PLUGS = {
    "an emergency stop": ({"machine": "estop = { line = 22 }"}, "wants an interlock, no plug"),
    "a printer": (
        {"machine": 'estop = false\nprinter = { kind = "moonraker", url = "http://v.lan" }'},
        "a printer is never switched by a plug",
    ),
    "no broker": ({"broker": ""}, "[plug_broker] is missing"),
    "plain text": ({"broker": BROKER.replace("127.0.0.1", "prises.lan")}, "plain text leaves this machine"),
    "every topic": ({"written": 'kind = "tasmota"\nname = "#"'}, "write its topic without"),
    "kind": ({"written": 'kind = "sonoff"\nname = "a"'}, "cnc.plug.kind = 'sonoff'"),
}


@pytest.mark.parametrize("case", WRONG_PLUGS)
def test_a_plug_that_could_hurt_or_be_overheard_is_refused(folder: Folder, case: str) -> None:
    changes, wanted = WRONG_PLUGS[case]
    with pytest.raises(ConfigError) as caught:
        plug(folder, **changes)
    assert wanted in str(caught.value), str(caught.value)
