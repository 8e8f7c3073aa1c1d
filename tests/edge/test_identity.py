"""An edge's certificate and key: what is not its own, not of its site or not kept secret keeps it from starting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge import identity
from edge.config import BrokerConfig, load
from edge.identity import Identity
from edge.tables import ConfigError
from keys import certificates, pem
from keys.keyring import Keyring, Site
from policy.instants import LATEST
from tests.support_edge import SAMPLE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("site") / "keys", Site("casaco", "broker.lan", ("front", "garage")))


@pytest.fixture
def keys(made: Keyring, tmp_path: Path) -> Path:
    """What an installer carries to the Pi of the edge `front`, beside the sample."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    for file in made.edge("front").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
        (folder / file.name).chmod(0o600)
    (tmp_path / "edge.toml").write_text(SAMPLE.read_text())
    return folder


def refusal(keys: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(keys.parent / "edge.toml")
    return str(caught.value)


def test_the_sample_with_the_folder_that_an_installer_carries(keys: Path, made: Keyring) -> None:
    config = load(keys.parent / "edge.toml")
    ours = Identity(keys / "ca.crt", keys / "tls.crt", keys / "tls.key")
    assert config.broker == BrokerConfig("broker.lan", 8883, "front", "", ours)
    assert config.keys.own.private_bytes_raw() == made.edge_key("front").private_bytes_raw()
    assert config.keys.server.public_bytes_raw() == made.server_key.public_key().public_bytes_raw()
    assert config.keys.credential == made.credential_key


def test_the_port_of_tls_is_the_default(keys: Path) -> None:
    file = keys.parent / "edge.toml"
    file.write_text(file.read_text().replace("port = 8883 ", "# "))
    assert load(file).broker.port == 8883


def test_a_password_beside_a_certificate_is_one_too_many(keys: Path) -> None:
    file = keys.parent / "edge.toml"
    file.write_text(file.read_text().replace("[journal]", 'password_file = "keys/pass"\n[journal]'))
    assert "broker.password_file = 'keys/pass': unknown key" in refusal(keys)


@pytest.mark.parametrize("key", ["certificate", "key"])
def test_all_three_files_are_needed(keys: Path, key: str) -> None:
    file = keys.parent / "edge.toml"
    file.write_text(file.read_text().replace(f"\n{key} = ", f"\n# {key} = "))
    assert f"broker.{key} is missing" in refusal(keys)


def copied(name: str, other: str) -> Callable[[Path, Keyring], object]:
    """Put another machine's file in the place of this edge's."""
    return lambda keys, made: (keys / name).write_bytes((made.folder / other).read_bytes())


def foreign(keys: Path, _: Keyring) -> None:
    """A certificate for the same name, of somebody else's authority."""
    key, own = certificates.new_key(), pem.tls_key(keys / "tls.key").public_key()
    issued = certificates.issue(key, certificates.authority(key, "casaco"), own, "front", ())
    (keys / "tls.crt").write_bytes(pem.of_certificate(issued))


def of_the_garage(keys: Path, made: Keyring) -> None:
    copied("tls.crt", "edges/garage/tls.crt")(keys, made)
    copied("tls.key", "edges/garage/tls.key")(keys, made)


def _mistype(file: Path) -> None:
    file.write_text(file.read_text().replace('site = "casaco"', 'site = "cassco"'))


WRONG: dict[str, tuple[Callable[[Path, Keyring], object], str]] = {
    "no authority": (lambda keys, made: (keys / "ca.crt").unlink(), "ca.crt: cannot be read (No such file"),
    "no certificate": (lambda keys, made: (keys / "tls.crt").unlink(), "tls.crt: cannot be read (No such file"),
    "no key": (lambda keys, made: (keys / "tls.key").unlink(), "tls.key: cannot be read (No such file"),
    "a key that others can read": (lambda keys, made: (keys / "tls.key").chmod(0o640), "0640 let others read a secret"),
    "another's key": (copied("tls.key", "edges/garage/tls.key"), "tls.key: does not fit"),
    "another edge's": (of_the_garage, "tls.crt: is for 'garage', this is edge 'front': copy the folder of 'front'"),
    "another site's": (
        lambda keys, made: _mistype(keys.parent / "edge.toml"),
        "tls.crt: is of site 'casaco', this edge of site 'cassco': mend site in edge.toml",
    ),
    "another authority's": (foreign, "tls.crt: not a certificate of"),
    "an authority that is none": (
        lambda keys, made: (keys / "ca.crt").write_text("?"),
        "ca.crt: no certificate in PEM",
    ),
    "a certificate that is none": (
        lambda keys, made: (keys / "tls.crt").write_text("?"),
        "no certificate and key in PEM without a password",
    ),
    "a key that is none": (
        lambda keys, made: (keys / "tls.key").write_text("?"),
        "no certificate and key in PEM without a password",
    ),
    "a key for signing": (copied("tls.key", "edges/front/edge.pem"), "tls.key: does not fit"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_ours_is_refused_at_start(keys: Path, made: Keyring, case: str) -> None:
    spoil, words = WRONG[case]
    spoil(keys, made)
    message = refusal(keys)
    assert words in message
    assert str(keys) in message
    assert "PRIVATE" not in message


@pytest.mark.parametrize("years", [(2000, 2001), (2990, 2999)])
def test_a_certificate_out_of_date_keeps_no_edge_from_starting(
    keys: Path, made: Keyring, monkeypatch: pytest.MonkeyPatch, years: tuple[int, int]
) -> None:
    for name, year in zip(("FIRST", "LAST"), years, strict=True):
        monkeypatch.setattr(certificates, name, getattr(certificates, name).replace(year=year))
    key, own = pem.tls_key(made.authority / "ca.key"), pem.tls_key(keys / "tls.key").public_key()
    issued = certificates.issue(key, pem.certificate(keys / "ca.crt"), own, "front", ())
    (keys / "tls.crt").write_bytes(pem.of_certificate(issued))
    assert load(keys.parent / "edge.toml").edge == "front"
    last = min(int(issued.not_valid_after_utc.timestamp()) * 1000, LATEST)
    assert identity.ends(Identity(keys / "ca.crt", keys / "tls.crt", keys / "tls.key")) == last
    assert identity.ends(Identity(keys / "ca.crt", keys / "ca.crt", keys / "tls.key")) is None


def test_only_tls_that_is_still_safe_is_spoken(keys: Path) -> None:
    made = identity.context(Identity(keys / "ca.crt", keys / "tls.crt", keys / "tls.key"))
    assert made.minimum_version == identity.ssl.TLSVersion.TLSv1_2
    assert made.check_hostname
    assert made.verify_mode == identity.ssl.CERT_REQUIRED
