"""What a server must be told, and what it refuses to be told."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyrage import x25519

from server import config_file as module
from server.backups.settings import BackupConfig
from server.channels import carriers
from server.config import BrokerConfig, EdgeConfig, HttpConfig, OidcConfig, ServerConfig, SmtpConfig
from server.config_file import load
from server.errors import ConfigError
from server.passwords import hash_password, hash_token, is_password, is_token, new_password, new_token
from tests.support_pages import CHEAP_HASH, CREDENTIAL_KEY, SERVER_KEY, TOKEN
from tests.support_site import at

SAMPLE = Path(__file__).parents[2] / "server" / "sample.toml"


def pem(key: Any) -> bytes:
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return encoded


def secret(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


PLAIN = {
    'host = "broker.lan"\nport = 8883': 'host = "127.0.0.1"\nport = 1883',
    'ca = "keys/ca.crt"': "",
    'certificate = "keys/tls.crt"': "",
    'key = "keys/tls.key"': "",
    '# username = "server"': 'username = "server"',
    '# password_file = "broker.password"': 'password_file = "broker.password"',
}
"""What makes of the sample's TLS a broker on this machine."""


def spoil(old: str, new: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return change


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The sample, with secrets in place of its blanks."""
    text = SAMPLE.read_text()
    for line in ("[staff]", 'name = "equipe"', 'password_hash = "put the hash here"', "[api]", 'token_hash = "put'):
        assert f"\n# {line}" in text
        text = text.replace(f"\n# {line}", f"\n{line}")
    for blank in (
        f'password_hash = "{CHEAP_HASH}"',
        f'token_hash = "{hash_token(TOKEN)}"',
        f'public_key = "{"ab" * 32}"',
    ):
        key = blank.split(" ")[0]
        line = next(line for line in text.splitlines() if line.startswith(f'{key} = "put'))
        text = text.replace(line, blank, 1)
    (tmp_path / "server.toml").write_text(text)
    for old, new in PLAIN.items():
        spoil(old, new)(tmp_path / "server.toml")
    (tmp_path / "keys").mkdir()
    secret(tmp_path / "keys/server.pem", pem(SERVER_KEY))
    secret(tmp_path / "keys/credential.hex", CREDENTIAL_KEY.hex().encode() + b"\n")
    secret(tmp_path / "broker.password", b"a password drawn at random\n")
    return tmp_path / "server.toml"


def test_the_sample_with_its_blanks_filled(file: Path) -> None:
    config = load(file)
    assert config.database == "sqlite:////var/lib/loquet/loquet.db"
    assert config.broker == BrokerConfig("127.0.0.1", 1883, "server", "a password drawn at random")
    assert config.edges == (EdgeConfig("front", "ab" * 32, ("front",)),)
    assert config.credential_key == CREDENTIAL_KEY
    assert config.server_key.private_bytes_raw() == SERVER_KEY.private_bytes_raw()
    assert (config.http_host, config.http_port, config.staff_name) == ("127.0.0.1", 8000, "equipe")


def test_a_relative_database_lies_beside_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil("sqlite:////var/lib/loquet/loquet.db", "sqlite:///data/loquet.db")(file)
    monkeypatch.chdir("/")
    assert load(file).database == f"sqlite:///{file.parent}/data/loquet.db"


def test_it_takes_orders_beside_its_database_or_where_it_is_told(file: Path) -> None:
    assert load(file).control == Path("/var/lib/loquet/loquet.db.control")
    spoil('# socket = "/var/lib/loquet/control"', 'socket = "orders"')(file)
    assert load(file).control == file.parent / "orders"
    spoil("sqlite:////var/lib/loquet/loquet.db", "postgresql://db/loquet")(file)
    assert load(file).control == file.parent / "orders"
    spoil('socket = "orders"', "")(file)
    assert load(file).control is None


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ('"none/orders"', "none/orders': its folder is not there: make it, the server's user's own"),
        ('"keys"', "keys': is there already, and is no socket: name a file that is not there"),
        ("3", "server.toml: socket is 3: write a text in double quotes\n"),
    ],
)
def test_a_socket_that_cannot_be_is_refused(file: Path, named: str, words: str) -> None:
    (file.parent / "keys").mkdir(exist_ok=True)
    spoil('# socket = "/var/lib/loquet/control"', f"socket = {named}")(file)
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert words in str(raised.value)


def test_a_socket_below_a_table_is_told_where_it_belongs(file: Path) -> None:
    spoil("[http]", '[http]\nsocket = "orders"')(file)
    with pytest.raises(ConfigError, match=r"http\.socket .*: socket stands before the first \[table\]: move it there"):
        load(file)


MAIL = '[smtp]\nhost = "mail.example.org"\nsender = "loquet@example.org"\n'


def test_a_mail_server(file: Path) -> None:
    assert load(file).smtp is None
    file.write_text(file.read_text() + MAIL)
    assert load(file).smtp == SmtpConfig("mail.example.org", 587, "loquet@example.org", "starttls")
    secret = file.parent / "smtp.password"
    secret.write_text("of the mail server\n")
    secret.chmod(0o600)
    file.write_text(file.read_text() + 'security = "tls"\nusername = "loquet"\npassword_file = "smtp.password"\n')
    known = load(file).smtp
    assert known is not None
    assert (known.port, known.username, known.password) == (465, "loquet", "of the mail server")
    assert "of the mail server" not in repr(known)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('security = "none"', "mail would leave this machine in the clear"),
        ('security = "ssl"', "use starttls, tls or"),
        ('username = "loquet"', "give username and password_file, or neither"),
        ("port = 70000", "smtp port 70000"),
        ('password = "written here"', "smtp.password"),
    ],
)
def test_a_mail_server_that_would_not_do(file: Path, line: str, why: str) -> None:
    file.write_text(f"{file.read_text()}{MAIL}{line}\n")
    with pytest.raises(ConfigError, match=why):
        load(file)


def test_copies_are_made_as_it_says_and_their_key_files_lie_beside_it(file: Path) -> None:
    assert load(file).backup is None
    recipient = str(x25519.Identity.generate().to_public())
    file.write_text(f'{file.read_text()}[backup]\nrecipient = "{recipient}"\nssh_key = "keys/ssh"\n')
    assert load(file).backup == BackupConfig(
        recipient=recipient,
        folder=Path("/var/backups/loquet"),
        ssh_key=file.parent / "keys/ssh",
        known_hosts=file.parent / "known_hosts",
    )
    file.write_text(file.read_text().replace("age1", "age2"))
    with pytest.raises(ConfigError, match=r"server\.toml: backup recipient 'age2.*give the age1"):
        load(file)


def test_other_channels_than_mail(file: Path) -> None:
    secret(file.parent / "bot.token", b"token-that-nobody-reads\n")
    said = (
        '[ntfy]\nurl = "https://ntfy.example.org/"',
        '[matrix]\nurl = "http://127.0.0.1:8008"\ntoken_file = "bot.token"',
    )
    file.write_text(f"{file.read_text()}\n" + "\n".join(said) + "\n")
    found = load(file)
    assert found.ntfy == HttpConfig("https://ntfy.example.org")
    assert found.matrix == HttpConfig("http://127.0.0.1:8008", "token-that-nobody-reads")
    assert "token-that-nobody-reads" not in repr(found)
    assert set(carriers(found)) == {"ntfy", "matrix"}


@pytest.mark.parametrize("url", ["http://ntfy.example.org", "ftp://x", "https://a?b", "https://a/#c", ""])
def test_a_channel_that_would_leave_in_the_clear_is_refused(file: Path, url: str) -> None:
    file.write_text(f'{file.read_text()}\n[ntfy]\nurl = "{url}"\n')
    with pytest.raises(ConfigError, match="ntfy url: give https"):
        load(file)


@pytest.mark.parametrize("token", [b"nobody\nreads", b"nobody reads", "nobody réads".encode()])
def test_a_token_that_fits_no_header_is_refused_and_not_shown(file: Path, token: bytes) -> None:
    secret(file.parent / "bot.token", token)
    file.write_text(f'{file.read_text()}\n[ntfy]\nurl = "https://ntfy.example.org"\ntoken_file = "bot.token"\n')
    with pytest.raises(ConfigError, match="ntfy token_file: no token alone") as raised:
        load(file)
    assert "nobody" not in str(raised.value)


DISCOVERY = "https://id.example.org/realms/coop/.well-known/openid-configuration"
PROVIDER = f"""
[oidc]
discovery = "{DISCOVERY}"
client_id = "loquet"
secret_file = "oidc.secret"
name = "Coop ID"
"""


def test_a_provider_of_identities_is_read_and_its_secret_shown_to_nobody(file: Path) -> None:
    secret(file.parent / "oidc.secret", b"drawn by the provider\n")
    spoil("[http]", '[http]\naddress = "https://loquet.example.org"')(file)
    file.write_text(file.read_text() + PROVIDER)
    found = load(file)
    assert found.oidc == OidcConfig(DISCOVERY, "loquet", "drawn by the provider", "Coop ID")
    assert "drawn by the provider" not in repr(found)


def test_a_provider_that_could_not_answer_or_would_be_told_in_the_clear_is_refused(file: Path) -> None:
    secret(file.parent / "oidc.secret", b"drawn by the provider\n")
    bare = file.read_text()
    for old, new, said in (
        ("", "", "oidc: give http address, too"),
        ("https://id", "http://id", "oidc discovery 'http://id"),
        ("/.well-known/openid-configuration", "", "oidc discovery 'https://id.example.org/realms/coop': give"),
        ('"loquet"', '""', "oidc client_id '': give"),
        ('"Coop ID"', '" "', "oidc name ' ': give"),
    ):
        file.write_text(bare + PROVIDER.replace(old, new))
        with pytest.raises(ConfigError) as raised:
            load(file)
        assert said in str(raised.value)


def test_matrix_wants_the_token_of_an_account(file: Path) -> None:
    file.write_text(f'{file.read_text()}\n[matrix]\nurl = "https://matrix.example.org"\n')
    with pytest.raises(ConfigError, match="matrix: give token_file"):
        load(file)


def test_the_sample_shows_every_key() -> None:
    shown = SAMPLE.read_text()
    parts = (
        module._File,
        module._Keys,
        module._Broker,
        module._Http,
        module._Smtp,
        module._Backup,
        module._HttpChannel,
        module._Oidc,
        module._Staff,
        module._Api,
        module._Edge,
        module._Revoked,
    )
    keys = [key for part in parts for key in part.__struct_fields__]
    assert len(keys) > 20
    assert [key for key in keys if not re.search(rf"^(?:# )?\[*{key}(?: = |\])", shown, re.MULTILINE)] == []


def test_the_sample_itself_is_refused(file: Path) -> None:
    file.write_text(SAMPLE.read_text())
    for old, new in PLAIN.items():
        spoil(old, new)(file)
    with pytest.raises(ConfigError, match="edge 'front': public_key is not 64 hex digits"):
        load(file)


def test_secrets_are_not_shown(file: Path) -> None:
    shown = repr(load(file))
    for hidden in (CHEAP_HASH, hash_token(TOKEN), "drawn at random", CREDENTIAL_KEY.hex(), repr(CREDENTIAL_KEY)):
        assert hidden not in shown


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "an unknown key": (
        spoil("[http]", "[http]\ncolour = 1"),
        r"server\.toml: http\.colour is 1: this format has no such key: correct or remove it",
    ),
    "an unknown table": (
        spoil("[http]", "[htpt]"),
        r"htpt is \"\(not shown\)\": .*no such key \(http\?\): correct",
    ),
    "a wrong type": (
        spoil("port = 8000", 'port = "8000"'),
        r"http\.port is \"8000\": write a whole number, without",
    ),
    "a table that is none": (
        lambda file: file.write_text("http = 3\n" + file.read_text().replace("[http]", "[apache]")),
        r"http is 3: write a table",
    ),
    "no TOML": (spoil("[http]", "[http"), "not TOML"),
    "typographic quotes": (spoil('"equipe"', "“equipe”"), r"not TOML .*in that line stands “ \(U\+201C LEFT DOUBLE"),
    "a key in another script": (
        spoil("[http]\n", '[http]\n"h\u043est" = "::1"\n'),
        "character 7 is U\\+043E CYRILLIC",
    ),
    "a list for one": (
        spoil('access_points = ["front"]', 'access_points = "front"'),
        "access_points .*write a list",
    ),
    "a missing key": (spoil('name = "equipe"', ""), r"staff\.name is missing: it must be given"),
    "a broker elsewhere": (spoil('host = "127.0.0.1"', 'host = "10.0.0.7"'), "'10.0.0.7': plain MQTT leaves"),
    "pages for everybody": (
        spoil('host = "127.0.0.1"\nport = 8000', 'host = "0.0.0.0"\nport = 8000'),
        "'0.0.0.0': plain HTTP leaves this machine",
    ),
    "a host name": (spoil('host = "127.0.0.1"', 'host = "broker"'), "'broker': plain MQTT"),
    "an edge's id": (spoil('id = "front"', 'id = "front/#"'), "edge 'front/#': use 1 to 64 letters"),
    "an edge's key": (spoil("abab", "ABAB"), "edge 'front': public_key is not 64 hex digits"),
    "a plain password": (spoil("$argon2id$", "$plain$"), "not an argon2id hash"),
    "a plain token": (spoil(hash_token(TOKEN), TOKEN), "token_hash: not 64 hex digits"),
    "a default token": (spoil(hash_token(TOKEN), hash_token("changeme")), "the hash of a default"),
    "a key that is not there": (lambda file: (file.parent / "keys/server.pem").unlink(), "server.pem: No such file"),
    "a key that all may read": (
        lambda file: (file.parent / "keys/server.pem").chmod(0o644),
        "rights 0644 let others read a secret; chmod 600",
    ),
    "a key that is none": (lambda file: secret(file.parent / "keys/server.pem", b"?"), "no PEM private key"),
    "another kind of key": (
        lambda file: secret(file.parent / "keys/server.pem", pem(generate_private_key(SECP256R1()))),
        "not an Ed25519 key",
    ),
    "no hex": (lambda file: secret(file.parent / "keys/credential.hex", b"zz"), "credential.hex: not hex digits"),
    "half a key": (lambda file: secret(file.parent / "keys/credential.hex", b"ab"), "1 bytes; the site's key has 32"),
    "a default key": (lambda file: secret(file.parent / "keys/credential.hex", b"00" * 32), "one byte repeated"),
    "a password that is a word": (
        lambda file: secret(file.parent / "broker.password", b"loquet\n"),
        "a password of 6 characters; use one drawn at random",
    ),
    "a password that all may read": (
        lambda file: (file.parent / "broker.password").chmod(0o644),
        "rights 0644 let others read a secret",
    ),
    "half of TLS": (spoil('username = "server"', 'ca = "keys/ca.crt"'), "give ca, certificate and key, or"),
    "an edge with the server's key": (
        spoil("ab" * 32, SERVER_KEY.public_key().public_bytes_raw().hex()),
        "edge 'front': public_key is that of the server; `loquet keys list` shows its own",
    ),
    "no file": (lambda file: file.unlink(), "server.toml: No such file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(file: Path, name: str) -> None:
    change, message = WRONG[name]
    change(file)
    with pytest.raises(ConfigError, match=message) as raised:
        load(file)
    assert str(file.parent) in str(raised.value)


def test_every_mistake_is_told_at_once_and_no_secret_is(file: Path) -> None:
    spoil('name = "equipe"', 'naem = "equipe"\npassword = "a word of mine"')(file)
    spoil("port = 8000", "port = true\nhots = 1")(file)
    with pytest.raises(ConfigError) as raised:
        load(file)
    told = [line.removeprefix(f"{file}: ") for line in str(raised.value).splitlines()]
    assert told == [
        "http.port is true: write a whole number, without quotes",
        "http.hots is 1: this format has no such key (host?): correct or remove it",
        'staff.naem is "equipe": this format has no such key (name?): correct or remove it',
        'staff.password is "(not shown)": this format has no such key (password_hash?): correct or remove it',
        "staff.name is missing: it must be given",
        "server/sample.toml shows every key",
    ]


def test_the_mark_of_windows_editors_counts_for_nothing(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load(file).staff_name == "equipe"


def test_a_config_made_by_hand_is_checked_too() -> None:
    config = ServerConfig(
        database="sqlite:////nowhere/loquet.db",
        server_key=Ed25519PrivateKey.generate(),
        credential_key=CREDENTIAL_KEY,
        broker=BrokerConfig("localhost", 1883, "server", "p"),
        edges=(),
        staff_name="equipe",
        staff_password_hash=CHEAP_HASH,
        api_token_hash=hash_token(TOKEN),
    )
    assert replace(config, http_host="::1").http_host == "::1"
    with pytest.raises(ConfigError, match="plain MQTT leaves"):
        replace(config, broker=BrokerConfig("192.168.1.2", 1883, "server", "p"))
    with pytest.raises(ConfigError, match="broker port 0: use 1 to 65535"):
        replace(config, broker=BrokerConfig("localhost", 0, "server", "p"))
    with pytest.raises(ConfigError, match="http port 65536: use 1 to 65535"):
        replace(config, http_port=65536)
    front, back = EdgeConfig("front", "ab" * 32, ("front",)), EdgeConfig("back", "cd" * 32, ("back", "front"))
    with pytest.raises(ConfigError, match="edge 'back': access point 'front' belongs to edge 'front' already"):
        replace(config, edges=(front, back))
    with pytest.raises(ConfigError, match="edge 'back': public_key is that of edge 'front'"):
        replace(config, edges=(front, EdgeConfig("back", front.public_key, ("back",))))
    with pytest.raises(ConfigError, match="edge 'front': there are two of this id"):
        replace(config, edges=(front, replace(back, id="front")))


@pytest.mark.parametrize(
    ("proxy", "host", "own"),
    [
        ("192.168.1.2", "127.0.0.1", "127.0.0.1"),
        ("proxy.lan", "127.0.0.1", "127.0.0.1"),
        ("*", "127.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost", "127.0.0.1"),
        ("::1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1", "::1"),
    ],
)
def test_a_proxy_that_could_never_be_believed_is_refused(file: Path, proxy: str, host: str, own: str) -> None:
    spoil('host = "127.0.0.1"\nport = 8000', f'host = "{host}"\nport = 8000\ntrusted_proxy = "{proxy}"')(file)
    with pytest.raises(ConfigError, match=f"trusted_proxy '{re.escape(proxy)}': .*'{host}'.* give '{own}'"):
        load(file)


def test_the_proxy_on_this_machine_is_believed_when_it_is_named(file: Path) -> None:
    assert load(file).trusted_proxy is None
    spoil("# trusted_proxy", "trusted_proxy")(file)
    assert load(file).trusted_proxy == "127.0.0.1"


def test_passwords_and_tokens() -> None:
    password, token = new_password(), new_token()
    assert password != new_password()
    assert len(token) >= 43
    stored = hash_password(password)
    assert stored.startswith("$argon2id$")
    assert is_password(stored, password)
    assert not is_password(stored, password + " ")
    assert not is_password("no hash", password)
    assert is_token(hash_token(token), token)
    assert not is_token(hash_token(token), token[:-1])


def test_account_and_token_may_be_left_to_the_pages(file: Path) -> None:
    """As the sample has it: the first start says a link."""
    text = file.read_text()
    start, end = text.index("[staff]"), text.index("# One for each edge that was revoked")
    file.write_text(text[:start] + text[end:])
    config = load(file)
    assert (config.staff_name, config.staff_password_hash, config.api_token_hash) == ("", "", "")


def test_the_address_of_the_pages(file: Path) -> None:
    assert load(file).address == ""
    spoil("# address", "address")(file)
    assert load(file).address == "https://loquet.example.org"


@pytest.mark.parametrize("address", ["loquet.example.org", "http://loquet.example.org", "https://a.example/pages", "x"])
def test_an_address_that_links_could_not_begin_with(file: Path, address: str) -> None:
    spoil('# address = "https://loquet.example.org"', f'address = "{address}"')(file)
    with pytest.raises(ConfigError, match=f"http address '{re.escape(address)}': give the pages' own"):
        load(file)


def test_a_revoked_edge_is_no_edge_and_has_an_instant(file: Path) -> None:
    revoked = '[[revoked]]\nid = "garage"\nsince = "2026-11-24T18:00:00+01:00"\n'
    file.write_text(file.read_text() + revoked)
    assert [(gone.id, gone.since) for gone in load(file).revoked] == [("garage", at(18))]
    file.write_text(file.read_text().replace("2026-11-24T18:00:00+01:00", "yesterday"))
    with pytest.raises(ConfigError, match="revoked edge 'garage': since 'yesterday': write an instant"):
        load(file)
    file.write_text(file.read_text().replace('"yesterday"', '"2026-11-24T18:00:00Z"').replace('"garage"', '"front"'))
    with pytest.raises(ConfigError, match=r"'front': is among \[\[edges\]\] and among \[\[revoked\]\]"):
        load(file)
