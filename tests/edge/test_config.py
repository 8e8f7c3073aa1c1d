"""edge.toml: the sample is the reference, and every mistake is refused by name."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge.config import ReaderConfig, load, readers
from edge.door import DoorSetup
from edge.hardware.lines import InputSpec, OutputSpec, Pull
from edge.tables import ConfigError
from tests.support_edge import Folder, make_folder, private_pem, public_pem, write_secret


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make_folder(tmp_path / "site")


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_the_sample_is_the_reference(folder: Folder) -> None:
    config = load(folder.config)
    assert (config.site, config.edge, config.spi_hz) == ("casaco", "front", 10_000_000)
    assert config.journal == folder.config.parent / "journal.db"
    assert config.readers == {"front-in": ReaderConfig(0, 0), "front-out": ReaderConfig(0, 1)}
    assert (config.broker.host, config.broker.port, config.broker.username) == ("127.0.0.1", 1883, "front")
    assert config.broker.password == folder.password
    assert config.keys.own.private_bytes_raw() == folder.own.private_bytes_raw()
    assert config.keys.server.public_bytes_raw() == folder.server.public_key().public_bytes_raw()
    assert len(config.keys.credential) == 32
    assert [spec.name for spec in config.outputs] == [
        "strike",
        *(f"{reader}.{lamp}" for reader in ("front-in", "front-out") for lamp in ("green", "red", "buzzer")),
    ]
    assert config.outputs[0] == OutputSpec("strike", 17)
    assert config.inputs == (
        InputSpec("rex", 23),
        InputSpec("fire", 24, active_low=False),
        InputSpec("contact", 22, Pull.UP, active_low=False),
    )
    (setup,) = config.places
    assert isinstance(setup, DoorSetup)
    assert (setup.access_point, setup.readers) == ("front", ("front-in", "front-out"))
    assert (setup.strike_seconds, setup.held_after, setup.has_contact, setup.has_rex) == (5, 60, True, True)


def test_a_secret_is_not_shown(folder: Folder) -> None:
    config = load(folder.config)
    assert folder.password not in repr(config)
    assert str(config.keys.credential) not in repr(config)


SMALLEST = """
site = "casaco"
edge = "garden"
[keys]
own = "keys/edge.pem"
server = "keys/server.pub.pem"
credential = "keys/credential.hex"
[broker]
host = "localhost"
username = "garden"
password_file = "keys/broker.pass"
[journal]
path = "/srv/journal.db"
[readers.garden-in]
device = 1
[door.garden]
reader_in = "garden-in"
[door.garden.strike]
line = 4
"""


def test_the_header_s_gpiochip_can_be_named(folder: Folder) -> None:
    folder.config.write_text("gpiochip = 11\n" + SMALLEST)
    assert load(folder.config).gpiochip == 11
    assert readers(folder.config) == ({"garden-in": ReaderConfig(0, 1)}, 10_000_000, 11)
    folder.config.write_text('gpiochip = "/dev/gpiochip4"\n' + SMALLEST)
    assert "gpiochip = '/dev/gpiochip4': use a whole number from 0 to 255" in refusal(folder.config)


def test_what_is_left_out_has_the_defaults_that_the_sample_states(folder: Folder) -> None:
    folder.config.write_text(SMALLEST)
    config = load(folder.config)
    assert (config.spi_hz, config.gpiochip) == (10_000_000, None)
    assert config.broker.port == 1883
    assert config.journal == Path("/srv/journal.db")
    assert config.readers == {"garden-in": ReaderConfig(0, 1)}
    (setup,) = config.places
    assert isinstance(setup, DoorSetup)
    assert (setup.access_point, setup.strike_seconds, setup.held_after, setup.reader_out) == ("garden", 5.0, 60.0, None)
    assert config.outputs == (OutputSpec("strike", 4, active_high=True),)
    assert config.inputs == ()
    assert not setup.has_contact
    assert not setup.has_rex


WRONG = {
    "unknown at the top": ('site = "casaco"', 'site = "casaco"\ncolour = 3', ("colour = 3", "unknown key")),
    "misspelt": ("strike_seconds = 5", "strike_second = 5", ("door.front.strike_second = 5", "strike_seconds?")),
    "unknown of a line": ("line = 23", "line = 23\nbounce = 3", ("door.front.rex.bounce = 3", "unknown key")),
    "unknown of a reader": ("device = 0", "device = 0\ncolour = 1", ("front-in.colour = 1", "unknown key", "remove")),
    "unknown table": ("[door.front]", "[dor.front]", ("[dor.front] is not known here", "did you mean [door.front]?")),
    "unknown table of readers": (
        "[readers.front-in.green]",
        "[readers.front-in.gren]",
        ("[readers.front-in.gren]: unknown table; did you mean [readers.front-in.green]?",),
    ),
    "unknown table of a door": (
        "[door.front.contact]",
        "[door.front.contcat]",
        ("[door.front.contcat]: unknown table; did you mean [door.front.contact]?",),
    ),
    "unknown table of values": ("[journal]", "[jurnal]", ("[jurnal] is not known here: did you mean [journal]?",)),
    "unknown and needed": ('site = "casaco"', 'sitte = "casaco"', ("sitte is not known here: did you mean site?",)),
    "a table far from all": (
        "[journal]",
        "[colours]\nred = 1\n[journal]",
        ("[colours]: unknown table; remove",),
    ),
    "typographic quotes": (
        'site = "casaco"',
        "site = “casaco”",
        ("not TOML", "line 4", "in that line stands “ (U+201C LEFT DOUBLE QUOTATION MARK)"),
    ),
    "a no-break space": ('site = "casaco"', 'site\u00a0= "casaco"', ("not TOML", "(U+00A0 NO-BREAK SPACE)")),
    "a comment of another language": ('site = "casaco"', 'site = "casaco" // us', ("not TOML", "mend that line")),
    "missing": ('edge = "front"', "", ("edge is missing", "add this edge's id")),
    "missing table": ("[journal]\npath", "[keys.journal]\npath", ("journal is missing",)),
    "a table expected": ('site = "casaco"', 'site = "casaco"\njournal = 3', ("not TOML",)),
    "wrong type": ('site = "casaco"', "site = 7", ("site = 7", "quotes")),
    "empty text": ('site = "casaco"', 'site = ""', ("site = ''", "quotes")),
    "not an id": ('site = "casaco"', 'site = "ca/sa"', ("'ca/sa'", "letters")),
    "text for a number": ("spi_hz = 10_000_000", 'spi_hz = "fast"', ("spi_hz = 'fast'", "whole number")),
    "true for a number": ("strike_seconds = 5", "strike_seconds = true", ("strike_seconds = true", "0.5 to 60")),
    "true for a line": ("line = 17", "line = true", ("door.front.strike.line = true", "2 to 27")),
    "seconds": ("strike_seconds = 5", "strike_seconds = 0", ("door.front.strike_seconds = 0", "0.5 to 60")),
    "not a number": ("held_after = 60", "held_after = nan", ("door.front.held_after = nan", "1 to 3600")),
    "held": ("held_after = 60", "held_after = 86400", ("door.front.held_after = 86400", "1 to 3600")),
    "line": ("line = 17", "line = 28", ("door.front.strike.line = 28", "2 to 27")),
    "flag": ("active_high = true", 'active_high = "yes"', ("front-in.green.active_high = 'yes'", "true or false")),
    "choice": ('fail = "secure"', 'fail = "shut"', ("door.front.fail = 'shut'", '"secure", "safe"')),
    "pull": ('pull = "up"', 'pull = "left"', ("door.front.contact.pull = 'left'", '"none"')),
    "twice": ("line = 23", "line = 17", ("rex: line = 17", "strike has it")),
    "spi": ("line = 17", "line = 9", ("strike: line = 9", "SPI bus 0 has it")),
    "reset": ("line = 17", "line = 25", ("strike: line = 25", "reset has it")),
    "second bus": ("bus = 0 ", "bus = 1 ", ("strike: line = 17", "SPI bus 1 has it")),
    "bus": ("bus = 0 ", "bus = 2 ", ("readers.front-in.bus = 2", "0 to 1")),
    "device": ("device = 0", "device = 2", ("readers.front-in.device = 2", "0 to 1")),
    "chip select": ("device = 1", "device = 0", ("readers.front-out.device = 0", "readers.front-in is on", "another")),
    "unknown reader": (
        'reader_in = "front-in"',
        'reader_in = "back"',
        ("door.front.reader_in = 'back'", "no such reader", "front-out"),
    ),
    "same reader": ('reader_out = "front-out"', 'reader_out = "front-in"', ("reader_out = 'front-in'", "leave it out")),
    "idle reader": ('reader_out = "front-out"', "", ("[readers.front-out] is at no door", "remove it")),
    "reader name": ("[readers.front-out]", '[readers."front out"]', ("readers.front out", "letters")),
    "two doors": ("[door.front.rex]", "[door.back.rex]", ("doors front, back", "one door")),
    "broker": (
        'host = "127.0.0.1"',
        'host = "192.168.1.4"',
        ("broker.host = '192.168.1.4'", "give ca, certificate and key", "127.0.0.1"),
    ),
    "broker name": ('host = "127.0.0.1"', 'host = "broker"', ("broker.host = 'broker'", "plain text")),
    "port": ("port = 1883", "port = 0", ("broker.port = 0", "1 to 65535")),
    "no key file": ("keys/edge.pem", "keys/none.pem", ("keys/none.pem", "cannot be read", "put it there")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_with_its_remedy(folder: Folder, case: str) -> None:
    old, new, words = WRONG[case]
    message = refusal(folder.replace(old, new))
    assert str(folder.config.parent) in message
    for word in words:
        assert word in message


def test_every_mistake_is_named_at_once_in_the_order_of_the_file_and_none_follows_from_another(folder: Folder) -> None:
    for old, new in (
        ("spi_hz = 10_000_000", 'spi_hz = "fast"'),
        ("[journal]\npath", "[jurnal]\npth"),
        ("device = 0", "device = 9"),
        ("line = 5 ", "line = 99 "),
        ("[door.front]", "[dor.front]"),
        ("[door.front.rex]", "[dor.front.rex]"),
        ("[door.front.strike]", "[dor.front.strike]"),
        ("[door.front.contact]", "[dor.front.contact]"),
        ("[door.front.fire]", "[dor.front.fire]"),
        ("line = 23", "line = 77"),
        ('pull = "up"', 'pull = "left"'),
        ("keys/edge.pem", "keys/none.pem"),
    ):
        folder.replace(old, new)
    lines = refusal(folder.config).splitlines()
    assert {line.partition(": ")[0] for line in lines} == {str(folder.config)}
    assert [line.partition(": ")[2].split(":")[0] for line in lines] == [
        "spi_hz = 'fast'",
        "[jurnal] is not known here",
        "pth is not known here",
        "readers.front-in.device = 9",
        "readers.front-in.green.line = 99",
        "[dor.front] is not known here",
        "door.front.contact.pull = 'left'",
        "door.front.rex.line = 77",
    ]


def test_of_files_beside_it_every_one_is_named_once_the_file_itself_is_right(folder: Folder) -> None:
    folder.replace("keys/edge.pem", "keys/none.pem")
    folder.key("server.pub.pem").write_bytes(b"hello")
    folder.key("broker.pass").chmod(0o644)
    told = refusal(folder.config).splitlines()
    assert [line.partition(": ")[0] for line in told] == [
        str(folder.key(name)) for name in ("none.pem", "server.pub.pem", "broker.pass")
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "reader_out = ",
            "reader_ot = ",
            ["door.front.reader_ot = 'front-out': unknown key; did you mean reader_out?"],
        ),
        ("[readers.front-out.red]", "[readers.front-in.red2]", ["[readers.front-in.red2]: unknown table"]),
        ("[keys]", "[key]", ["[key] is not known here: did you mean [keys]?"]),
        ("bus = 0 ", "bus = 7 ", ["readers.front-in.bus = 7: use a whole number from 0 to 1"]),
        ('reader_in = "front-in"', 'reader_in = "back"', ["door.front.reader_in = 'back': no such reader"]),
    ],
)
def test_one_mistake_is_one_line(folder: Folder, old: str, new: str, told: list[str]) -> None:
    lines = refusal(folder.replace(old, new)).splitlines()
    assert len(lines) == len(told)
    assert all(said in line for said, line in zip(told, lines, strict=True))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nothing.toml: cannot be read" in refusal(tmp_path / "nothing.toml")


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_bytes(b"site = ")
    assert "edge.toml: not TOML" in refusal(tmp_path / "edge.toml")


@pytest.mark.parametrize(
    ("content", "found"), [(b"\xff\xfes\0", "UTF-16"), (b"site = '\xe9'", "the byte 0xe9 at line 1")]
)
def test_another_encoding_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "edge.toml").write_bytes(content)
    assert found in refusal(tmp_path / "edge.toml")


def test_the_mark_of_windows_editors_counts_for_nothing(folder: Folder) -> None:
    folder.config.write_bytes(b"\xef\xbb\xbf" + folder.config.read_bytes())
    assert load(folder.config).site == "casaco"


@pytest.mark.parametrize("name", ["edge.pem", "credential.hex", "broker.pass"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(folder: Folder, name: str, mode: int) -> None:
    folder.key(name).chmod(mode)
    message = refusal(folder.config)
    assert f"chmod 600 {folder.key(name)}" in message
    assert f"{mode:04o}" in message


def test_the_servers_key_need_not_be_secret(folder: Folder) -> None:
    folder.key("server.pub.pem").chmod(0o644)
    assert load(folder.config).edge == "front"


P256 = generate_private_key(SECP256R1())

BAD_KEYS = {
    "no private key": ("edge.pem", b"hello", "no private key in PEM"),
    "another kind of key": (
        "edge.pem",
        P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "not an Ed25519 private key",
    ),
    "no public key": ("server.pub.pem", b"hello", "no public key in PEM"),
    "another kind of public key": (
        "server.pub.pem",
        P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "not an Ed25519 public key",
    ),
    "not hex": ("credential.hex", b"zz" * 32, "not hex digits"),
    "not text": ("credential.hex", b"\xff" * 32, "not hex digits"),
    "too short a key": ("credential.hex", b"ab" * 16, "16 bytes"),
    "a default key": ("credential.hex", b"00" * 32, "a default, not a key"),
    "a password that is a word": ("broker.pass", b"loquet\n", "6 characters"),
    "no password": ("broker.pass", b"", "0 characters"),
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_a_bad_key_is_refused_without_showing_it(folder: Folder, case: str) -> None:
    name, content, word = BAD_KEYS[case]
    write_secret(folder.key(name), content)
    message = refusal(folder.config)
    assert str(folder.key(name)) in message
    assert word in message
    assert not content or content.decode("latin-1").strip() not in message.replace(str(folder.key(name)), "")


def test_an_edge_does_not_sign_as_the_server(folder: Folder) -> None:
    write_secret(folder.key("edge.pem"), private_pem(folder.server))
    assert "keys.own = 'keys/edge.pem': is the server's own key" in refusal(folder.config)


def test_a_private_key_is_no_public_key(folder: Folder) -> None:
    folder.key("edge.pem").write_bytes(public_pem(folder.own))
    assert "no private key" in refusal(folder.config)


def test_empty_tables_are_named(folder: Folder) -> None:
    folder.config.write_text(SMALLEST.replace("[readers.garden-in]\ndevice = 1", "[readers]"))
    assert "[readers] is empty: add" in refusal(folder.config)


def test_a_table_written_as_a_value(folder: Folder) -> None:
    folder.config.write_text(
        SMALLEST.replace('[journal]\npath = "/srv/journal.db"', "").replace("[keys]", "journal = 3\n[keys]")
    )
    assert "journal = 3: write it as a table, [journal]" in refusal(folder.config)
