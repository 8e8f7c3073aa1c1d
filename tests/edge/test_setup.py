"""`loquet edge init`: a few answers make files that the edge, systemd and the Pi's firmware take."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
import yaml

from console.errors import CommandError
from edge.config import Config, load
from edge.hardware.lines import PULLED_UP, is_on_at_boot
from edge.machine import MachineSetup
from edge.setup.answers import CLOCKS, Admin, Answers, Place, answers, read
from edge.setup.header import MODELS, PINS
from edge.setup.plan import plan, signals
from edge.setup.questions import ask
from edge.setup.render import HOMES
from edge.setup.render import files as rendered
from edge.tables import ConfigError
from keys.keyring import Keyring, Site
from loquet import edge as command
from tests.support_edge import SAMPLE

REFERENCE = SAMPLE.parent / "answers.toml"
UNIT = SAMPLE.parent / "loquet-edge.service"
CARD = {"user-data", "meta-data", "custom.toml"}
"""Made for a new card alone."""
LEVEL = {True: "dl", False: "dh"}
"""How the Pi's tools write the level at which an output is off, by whether it is active high."""


def told(**given: object) -> Answers:
    """The answers of a door; given: other keys of the file, or `door` for those of its table, None for no door."""
    door = given.pop("door", {})
    doors = {} if door is None else {"door": {"front": door}}
    whole = {"site": "casaco", "edge": "front", "broker": "broker.lan"} | doors | given
    return answers(Path("answers.toml"), whole)


def variants() -> Iterator[Answers]:
    """A door of every kind on every Pi."""
    for pi, readers, fail, high, fire, in_use in product(
        MODELS, (1, 2), ("secure", "safe"), (True, False), (True, False), ([], ["uart"])
    ):
        door = {"readers": readers, "fail": fail, "relay_active_high": high, "fire": fire, "contact": fire}
        yield told(pi=pi, in_use=in_use, door=door)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of edge `front`, as they lie on its Pi."""
    folder = tmp_path_factory.mktemp("etc")
    ring = Keyring.create(folder / "ring", Site("casaco", "broker.lan", ("front",)))
    ring.edge("front").rename(folder / "keys")
    return folder


def loaded(home: Path, text: str) -> Config:
    (home / "edge.toml").write_text(text, "utf-8")
    return load(home / "edge.toml")


def test_every_door_on_every_pi_is_loaded_and_its_relay_rests(home: Path) -> None:
    seen = set()
    for case in variants():
        made = rendered(case)
        if made["edge.toml"] in seen:
            continue
        config = loaded(home, made["edge.toml"])
        strike = next(output for output in config.outputs if output.name == "strike")
        assert strike.active_high == case.places[0].relay_active_high
        assert len(config.readers) == len(case.places[0].readers)
        assert {spec.name for spec in config.inputs} == set(case.places[0].inputs)
        rest = (str(strike.line), LEVEL[strike.active_high])
        assert re.findall(r"^gpio=(\d+)=op,(d[lh])$", made["config.txt"], re.MULTILINE) == [rest]
        assert re.findall(r"pinctrl set (\d+) op (d[lh])$", made["outputs.conf"], re.MULTILINE) == [rest]
        assert (strike.line in PULLED_UP) != strike.active_high
        seen.add(made["edge.toml"])
    assert len(seen) >= 2**4


FABLABS = (
    {"door": None, "machine": {"cnc": {"pulse": True}}},
    {"door": None, "machine": {"cnc": {}, "laser": {}, "printer": {"estop": False}}},
    {"door": None, "machine": {"cnc": {}, "laser": {}, "saw": {}}, "clock": "none"},
    {"door": {"readers": 1}, "machine": {"saw": {}}},
    {"door": {"readers": 2}, "machine": {"saw": {}}},
)


@pytest.mark.parametrize("fablab", FABLABS, ids=lambda fablab: "-".join(fablab["machine"]))
def test_machines_are_loaded_with_or_without_a_door_and_their_relays_rest(
    home: Path, fablab: dict[str, object]
) -> None:
    made = rendered(told(**fablab))
    config = loaded(home, made["edge.toml"])
    machines = fablab["machine"]
    assert isinstance(machines, dict)
    assert {place.machine for place in config.places if isinstance(place, MachineSetup)} == set(machines)
    stops = {name for name, given in machines.items() if given.get("estop", True)}
    pulsed = {f"{name}.interlock" for name, given in machines.items() if given.get("pulse")}
    assert {spec.name for spec in config.outputs if spec.pulse} == pulsed
    assert {spec.name for spec in config.inputs if spec.name.endswith(".estop")} == {f"{name}.estop" for name in stops}
    relays = [output for output in config.outputs if output.name.endswith((".interlock", "strike"))]
    rest = [(str(relay.line), LEVEL[relay.active_high]) for relay in relays]
    assert sorted(re.findall(r"pinctrl set (\d+) op (d[lh])$", made["outputs.conf"], re.MULTILINE)) == sorted(rest)
    assert not [relay for relay in relays if is_on_at_boot(relay.line, relay.active_high)]
    assert ("dtoverlay=spi1-3cs" in made["config.txt"]) == (len(config.readers) > 2)
    mapped = re.findall(r"^ *\d+  GPIO(\d+) ", made["pins.txt"], re.MULTILINE)
    assert len(set(mapped)) == len(mapped)


def test_the_usual_lines_are_those_of_the_sample(home: Path) -> None:
    """docs/wiring.md and pins.txt speak of one door."""
    ours, sample = home / "edge.toml", home / "sample.toml"
    ours.write_text(rendered(told(door={"fire": True}))["edge.toml"], "utf-8")
    sample.write_text(SAMPLE.read_text("utf-8"), "utf-8")
    assert load(ours).outputs == load(sample).outputs
    assert load(ours).inputs == load(sample).inputs


def test_every_line_has_one_use_and_stands_in_the_map_of_pins() -> None:
    for case in variants():
        lines = plan(case)
        assert sorted(lines) == sorted(signal.key for signal in signals(case))
        assert len(set(lines.values())) == len(lines)
        mapped = re.findall(r"^ *(\d+)  GPIO(\d+) ", rendered(case)["pins.txt"], re.MULTILINE)
        assert {int(line) for _, line in mapped} >= set(lines.values())
        assert len({line for _, line in mapped}) == len(mapped)
        assert all(PINS[int(line)] == int(pin) for pin, line in mapped)


def test_a_signal_moves_where_the_installer_wants_it_and_others_make_room(home: Path) -> None:
    case = told(door={"lines": {"strike": 22, "out_red": 4}})
    lines = plan(case)
    assert (lines["door.front.strike"], lines["door.front.out_red"]) == (22, 4)
    assert lines["door.front.contact"] not in (22, 4)
    by_name = {output.name: output.line for output in loaded(home, rendered(case)["edge.toml"]).outputs}
    assert (by_name["strike"], by_name["front-out.red"]) == (22, 4)


@pytest.mark.parametrize(
    ("door", "others", "said"),
    [
        ({"lines": {"strike": 22, "rex": 22}}, {}, "lines.rex = 22: strike has that line"),
        ({"lines": {"strike": 9}}, {}, "lines.strike = 9: SPI bus 0 has that line"),
        ({"lines": {"rex": 25}}, {}, "lines.rex = 25: the readers' reset has that line"),
        ({"lines": {"rex": 2}}, {}, "lines.rex = 2: I²C has that line"),
        ({"lines": {"rex": 14}}, {"in_use": ["uart"]}, "lines.rex = 14: the UART has that line"),
        ({"lines": {"strike": 4}}, {}, "lines.strike = 4: that line is high from power-on"),
        (
            {"lines": {"strike": 17}, "relay_active_high": False},
            {},
            "lines.strike = 17: that line is low from power-on",
        ),
        (
            {"lines": {"strik": 17}},
            {},
            "door.front.lines.strik = 17: there is no such signal here; there are strike, contact",
        ),
        ({"lines": {"out_red": 4}, "readers": 1}, {}, "lines.out_red = 4: there is no such signal here"),
        ({"lines": {"rex": 28}}, {}, "door.front.lines.rex = 28: use a whole number from 2 to 27"),
        ({}, {"machine": {"front-in": {}}}, "[machine.front-in]: the door, or a reader of it, is called so"),
        ({}, {"machine": {name: {} for name in "abcde"}}, "machines a, b, c, d, e: an edge serves 4 at most"),
        ({}, {"machine": {name: {} for name in "abcd"}}, "6 readers: a header has 5 places for one"),
        ({}, {"machine": {"cnc": {"lines": {"interlock": 5}}}}, "machine.cnc.lines.interlock = 5: that line is high"),
        ({}, {"machine": {"cnc": {"lines": {"estop": 16}}}}, "machine.cnc.lines.estop = 16: SPI bus 1 has that line"),
        ({"readers": 3}, {}, "door.front.readers = 3: use a whole number from 1 to 2"),
        ({"reader": 1}, {}, "did you mean readers"),
        ({}, {"clock": "own"}, "clock = 'own': a Raspberry Pi 4 has no battery clock of its own"),
        ({}, {"pi": "6"}, "pi = '6': use one of"),
        ({}, {"in_use": ["spi"]}, 'in_use = [\'spi\']: write a list of these: "uart", "i2c"'),
        ({}, {"broker": "broker.lan:8883 "}, "write a host name or an address alone"),
        ({}, {"edge": "the front"}, "edge 'the front': use 1 to 64 letters"),
    ],
)
def test_what_cannot_be_is_refused_by_name(door: dict[str, object], others: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(told(door=door, **others))
    assert said in str(refused.value)
    assert str(refused.value).startswith("answers.toml: ")


def test_a_header_that_is_full_is_told() -> None:
    """An active-low relay is at rest on the few lines only that are high at power-on."""
    full = {"relay_active_high": False, "lines": {"contact": 4, "in_green": 5, "in_red": 6}}
    with pytest.raises(ConfigError, match=r"no line is left for door\.front\.strike"):
        plan(told(door=full))


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_clock_is_what_config_txt_says(clock: str) -> None:
    text = rendered(told(pi="5", clock=clock))["config.txt"]
    assert ("dtoverlay=i2c-rtc,ds3231" in text, "rtc_bbat_vchg" in text) == (
        clock == "ds3231",
        clock == "own-rechargeable",
    )


def test_a_disk_that_is_only_read_leaves_other_partitions_writable() -> None:
    assert "overlayroot=tmpfs:recurse=0" in rendered(told(read_only=True))["cmdline.txt"].split()
    assert "overlayroot" not in rendered(told())["cmdline.txt"]


NO_FIELDS = {"contact", "rex", "fire", "estop", "strike"}
NAMELESS = {"file", "places", "kind", "name", "inputs", "admin"}
"""Fields that are no keys, but tables or what several keys say."""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB admin@desk"


def test_a_new_card_gets_its_name_and_a_login_by_key_alone() -> None:
    made = rendered(told(edge="Garage_2", admin={"ssh_key": KEY}))
    cloud, custom = yaml.safe_load(made["user-data"]), tomllib.loads(made["custom.toml"])
    assert made["user-data"].startswith("#cloud-config\n")
    (login,) = cloud["users"]
    assert (cloud["hostname"], cloud["timezone"], cloud["ssh_pwauth"]) == ("garage-2", "Europe/Paris", False)
    assert (login["name"], login["ssh_authorized_keys"], login["lock_passwd"]) == ("admin", [KEY], True)
    assert {"gpio", "spi", "sudo"} <= set(login["groups"].split(", "))
    assert yaml.safe_load(made["meta-data"]) == {"instance-id": "loquet-garage-2"}
    assert custom == {
        "config_version": 1,
        "system": {"hostname": "garage-2"},
        "user": {"name": "admin"},
        "ssh": {"enabled": True, "password_authentication": False, "authorized_keys": [KEY]},
        "locale": {"timezone": "Europe/Paris"},
    }
    assert "user-data" not in rendered(told())


@pytest.mark.parametrize(
    ("admin", "said"),
    [
        ({}, "admin.ssh_key is missing"),
        ({"ssh_key": f"{KEY}\nrun: this"}, "write the line of a public key"),
        ({"ssh_key": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "write the line of a public key"),
        ({"ssh_key": KEY, "login": "Root!"}, "write a short name in small letters"),
        ({"ssh_key": KEY, "zone": "Paris\n"}, "write a time zone, as Europe/Paris"),
    ],
)
def test_a_login_that_cannot_be_is_refused(admin: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        told(admin=admin)


def test_systemd_takes_the_service_with_what_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "loquet-edge.service.d"
    folder.mkdir()
    unit = UNIT.read_text("utf-8").replace("/opt/loquet/bin/loquet", "/bin/true")
    (tmp_path / UNIT.name).write_text(unit, "utf-8")
    verify = ["systemd-analyze", "verify", str(tmp_path / UNIT.name)]
    (folder / "outputs.conf").write_text(rendered(told())["outputs.conf"], "utf-8")
    ended = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    (folder / "outputs.conf").write_text("[Service]\nExecStopPst=/bin/true\n", "utf-8")
    ended = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "Unknown key" in ended.stdout + ended.stderr


def test_the_reference_is_read_with_every_key_of_its_kind() -> None:
    assert read(REFERENCE) == replace(told(), file=REFERENCE)
    given = re.findall(r"^#? ?(\w+) = ", REFERENCE.read_text("utf-8"), re.MULTILINE)
    known = [field.name for field in (*fields(Answers), *fields(Place), *fields(Admin))]
    assert set(given) - NO_FIELDS == set(known) - NAMELESS


def test_answers_may_be_json_and_what_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"site": "casaco", "edge": "front", "broker": "broker.lan", "door": {"front": {}}}', "utf-8")
    assert read(file).places == told().places
    for text, said in (("{", "is no JSON"), ("[]", "holds no answers"), ("{}", "site is missing")):
        file.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=said):
            read(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.json")


def test_questions_make_a_file_of_answers(tmp_path: Path) -> None:
    typed = iter(
        ["ca saco", "casaco", "", "", "4b", "5", "own-rechargeable", "", "", "1", "safe", "", "no", "yes", "no"]
    )
    prompts: list[str] = []

    def listen(prompt: str) -> str:
        prompts.append(prompt)
        return next(typed)

    file = tmp_path / "answers.toml"
    file.write_text(ask(listen), "utf-8")
    found = read(file)
    assert (found.site, found.edge, found.pi, found.clock) == ("casaco", "front", "5", "own-rechargeable")
    (door,) = found.places
    assert (door.name, list(door.readers), door.fail, door.relay_active_high) == ("front", ["front-in"], "safe", False)
    assert door.inputs == ("contact", "fire")
    assert prompts[1].startswith("id 'ca saco': use 1 to 64 letters")
    assert prompts[5].startswith("'4b': answer one of zero2w, 3, 4, 5\n")
    assert next(typed, None) is None


def test_machines_are_asked_for_by_name(tmp_path: Path) -> None:
    typed = iter(["casaco", "fab", "", "5", "", "machines", "2", "cnc", "", "laser", "no"])
    file = tmp_path / "answers.toml"
    file.write_text(ask(lambda _: next(typed)), "utf-8")
    assert [(place.where, place.inputs) for place in read(file).places] == [
        ("machine.cnc", ("estop",)),
        ("machine.laser", ()),
    ]
    assert next(typed, None) is None


def test_the_command_writes_every_file_and_asks_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "front"
    assert command.init(folder, REFERENCE) == 0
    assert {file.name for file in folder.iterdir()} == set(rendered(read(REFERENCE))) == set(HOMES) - CARD
    said = capsys.readouterr().out
    assert all((f"  {name} " in said) == (name not in CARD) for name in HOMES)
    monkeypatch.setattr("builtins.input", lambda prompt: "casaco" if "site" in prompt else "")
    assert command.init(tmp_path / "asked", None) == 0
    with pytest.raises(CommandError, match=r"answers\.toml is there already"):
        command.init(tmp_path / "asked", None)


def test_answers_that_end_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    with pytest.raises(CommandError, match="give all of them, or a file"):
        command.init(tmp_path / "asked", None)
    assert not (tmp_path / "asked").exists()
