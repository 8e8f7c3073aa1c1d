"""Is each machine's folder whole, and does it hold no more than that machine needs?"""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import NameOID

from console.errors import CommandError
from keys import certificates, keyring, pem
from keys.faults import faults
from keys.keyring import AUTHORITY, Keyring, Site

SITE = Site("casaco", "broker.lan", ("front", "garage"))
EDGE_FILES = {"ca.crt", "credential.hex", "edge.pem", "server.pub.pem", "tls.crt", "tls.key"}
SECRETS = ("authority/ca.key", "server/tls.key", "server/server.pem", "edges/front/tls.key", "edges/front/edge.pem")


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys", SITE)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def common_name(file: Path) -> str:
    (found,) = pem.certificate(file).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)


def test_each_machine_has_what_it_needs_and_no_more(ring: Keyring) -> None:
    assert names(ring.edge("front")) == EDGE_FILES
    assert names(ring.server) == {"ca.crt", "credential.hex", "server.pem", "tls.crt", "tls.key"}
    assert names(ring.broker) == {"ca.crt", "loquet.acl", "loquet.conf", "tls.crt", "tls.key"}


def test_no_machine_holds_a_secret_of_another(ring: Keyring) -> None:
    private = {path: content for path, content in contents(ring.folder).items() if b"PRIVATE" in content}
    assert len(private) == 8, "authority, broker, two of the server, two of each edge"
    assert len(set(private.values())) == len(private)
    shared = {ring.edge(edge) / "credential.hex" for edge in SITE.edges} | {ring.server / "credential.hex"}
    assert {file.read_bytes() for file in shared} == {ring.credential_key.hex().encode() + b"\n"}


def test_nobody_else_can_read_any_of_it(ring: Keyring) -> None:
    for path in (ring.folder, *ring.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_could_enter_is_shut(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    assert Keyring.create(tmp_path / "keys", SITE).folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["broker", "server", "front", "garage"])
def test_a_certificate_names_its_owner_and_fits_its_key(ring: Keyring, name: str) -> None:
    folder = ring.machines()[name]
    assert common_name(folder / "tls.crt") == name
    assert ring.fits(name)
    pem.certificate(folder / "tls.crt").verify_directly_issued_by(pem.certificate(folder / "ca.crt"))


@pytest.mark.parametrize("name", ["broker", "server", "front"])
def test_no_clock_of_an_edge_is_too_early_or_too_late(ring: Keyring, name: str) -> None:
    for file in ("ca.crt", "tls.crt"):
        found = pem.certificate(ring.machines()[name] / file)
        assert (found.not_valid_before_utc.year, found.not_valid_after_utc.year) == (1970, 9999)


def test_only_the_broker_can_pass_for_a_broker(ring: Keyring) -> None:
    for name, folder in ring.machines().items():
        purposes = pem.certificate(folder / "tls.crt").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert (x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in purposes) == (name == "broker")
        assert (
            not pem.certificate(folder / "tls.crt").extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        )


def test_the_broker_is_known_by_its_name_and_on_its_own_machine(ring: Keyring) -> None:
    names = pem.certificate(ring.broker / "tls.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["broker.lan", "localhost"]
    assert [str(address) for address in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_an_edge_checks_what_the_server_signs(ring: Keyring) -> None:
    public = load_pem_public_key((ring.edge("front") / "server.pub.pem").read_bytes())
    public.verify(ring.server_key.sign(b"rules"), b"rules")  # type: ignore[union-attr, call-arg]
    assert ring.public_hex("front") == ring.edge_key("front").public_key().public_bytes_raw().hex()


def test_two_sites_share_nothing(ring: Keyring, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other", SITE)
    for path in (*SECRETS, "server/credential.hex"):
        assert (ring.folder / path).read_bytes() != (other.folder / path).read_bytes()


def test_copies_are_opened_by_a_key_that_goes_to_no_machine(ring: Keyring) -> None:
    from pyrage import decrypt, encrypt, x25519

    sealed = encrypt(b"a copy", [x25519.Recipient.from_str(ring.recipient)])
    identity = ring.backup / "identity.txt"
    own = identity.read_text()
    assert decrypt(sealed, [x25519.Identity.from_str(own.strip())]) == b"a copy"
    assert not any(own.strip().encode() in each for each in contents(ring.server).values())
    assert (ring.backup / "recipient.txt").read_text() == f"{ring.recipient}\n"
    before = ring.recipient
    ring.rotate("backup")
    assert ring.recipient != before
    newest, older = identity.read_text().splitlines()
    assert older == own.strip() != newest
    assert list(faults(ring, "backup")) == []


def test_a_site_of_before_there_was_that_key_gets_one_and_one_that_lost_it_is_told(ring: Keyring) -> None:
    (ring.backup / "identity.txt").unlink()
    with pytest.raises(CommandError, match=r"identity\.txt: is not there: take it from a copy"):
        ring.mend()
    (ring.backup / "recipient.txt").unlink()
    assert any("keys mend" in fault for fault in faults(ring, "backup"))
    ring.mend()
    assert list(faults(ring, "backup")) == []


def test_an_edge_more_leaves_the_others_as_they_are(ring: Keyring) -> None:
    before = contents(ring.folder)
    ring.add("laser")
    after = contents(ring.folder)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"site.json", "broker/loquet.acl", "broker/loquet.conf"}
    assert set(after) - set(before) == {f"edges/laser/{name}" for name in EDGE_FILES}


ROTATIONS = {
    "front": {f"edges/front/{name}" for name in ("tls.key", "tls.crt", "edge.pem")},
    "broker": {"broker/tls.key", "broker/tls.crt"},
    "server": {"server/tls.key", "server/tls.crt", "server/server.pem"}
    | {f"edges/{edge}/server.pub.pem" for edge in SITE.edges},
    "credential": {"server/credential.hex"} | {f"edges/{edge}/credential.hex" for edge in SITE.edges},
    "authority": {"authority/ca.key", "authority/ca.crt"}
    | {
        f"{place}/{file}"
        for place in ("broker", "server", "edges/front", "edges/garage")
        for file in ("ca.crt", "tls.crt")
    },
}


@pytest.mark.parametrize("part", ROTATIONS)
def test_a_rotation_renews_what_it_must_and_no_more(ring: Keyring, part: str) -> None:
    before = contents(ring.folder)
    ring.rotate(part)
    after = contents(ring.folder)
    assert before.keys() == after.keys()
    assert {path for path in before if before[path] != after[path]} == ROTATIONS[part]
    assert all(ring.fits(name) for name in ring.machines())


def test_a_broker_that_moves_gets_a_certificate_for_its_new_name(ring: Keyring) -> None:
    ring.rotate("broker", broker="10.0.0.7")
    names = pem.certificate(ring.broker / "tls.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(address) for address in names.value.get_values_for_type(x509.IPAddress)] == ["10.0.0.7", "127.0.0.1"]
    assert Keyring.open(ring.folder).site.broker == "10.0.0.7"


def test_a_revoked_edge_is_gone_and_its_id_stays_taken(ring: Keyring) -> None:
    ring.revoke("garage")
    assert not ring.edge("garage").exists()
    assert "user front" in (ring.broker / "loquet.acl").read_text()
    assert "garage" not in (ring.broker / "loquet.acl").read_text()
    with pytest.raises(CommandError, match=r"'garage' was revoked, .* choose another id, such as garage-2"):
        Keyring.open(ring.folder).add("garage")


def test_under_a_new_authority_an_old_certificate_counts_no_more_and_the_id_is_free(ring: Keyring) -> None:
    old = pem.certificate(ring.edge("garage") / "tls.crt")
    ring.revoke("garage")
    ring.rotate("authority")
    ring.add("garage")
    key = pem.tls_key(ring.edge("garage") / "tls.key").public_key()
    assert not certificates.fits(old, pem.certificate(ring.authority / "ca.crt"), key, ())


class PowerCutError(Exception):
    """The power is gone."""


def cut_after(writes: int, write: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
    """A way to write that ends so soon."""
    left = iter(range(writes))

    def writing(file: Path, content: bytes) -> None:
        if next(left, None) is None:
            raise PowerCutError
        write(file, content)

    return writing


CUT = {
    "init": lambda folder: Keyring.create(folder, SITE),
    "add": lambda folder: Keyring.open(folder).add("laser"),
    "revoke": lambda folder: Keyring.open(folder).revoke("garage"),
    **{part: lambda folder, part=part: Keyring.open(folder).rotate(part) for part in ROTATIONS},
}


@pytest.mark.parametrize("step", CUT)
def test_a_power_cut_at_any_write_leaves_what_the_next_command_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write = keyring.write_secret
    for writes in range(60):
        folder = tmp_path / str(writes)
        if step != "init":
            Keyring.create(folder, SITE)
        monkeypatch.setattr(keyring, "write_secret", cut_after(writes, write))
        try:
            CUT[step](folder)
            ended = True
        except PowerCutError:
            ended = False
        monkeypatch.setattr(keyring, "write_secret", write)
        ring = Keyring.open(folder) if (folder / "site.json").exists() else Keyring.create(folder, SITE)
        ring.complete()
        assert all(ring.fits(name) for name in ring.machines())
        assert {name for edge in ring.site.edges for name in names(ring.edge(edge))} == EDGE_FILES
        if ended:
            return
    raise AssertionError("never came to its end")


WRONG: dict[str, tuple[Callable[[Keyring], object], str]] = {
    "an edge twice": (lambda ring: ring.add("front"), "'front' has its keys already; new ones: loquet keys rotate"),
    "a name that is taken": (lambda ring: ring.add("server"), "edge 'server': not a name for an edge"),
    "a name for no topic": (lambda ring: ring.add("a/#"), "'a/#': use 1 to 64 letters"),
    "nobody to revoke": (lambda ring: ring.revoke("attic"), "'attic': there is no such edge; there are front, garage"),
    "nothing to rotate": (lambda ring: ring.rotate("attic"), "'attic': there is no such edge; there are front, garage"),
    "another site's folder": (
        lambda ring: Keyring.create(ring.folder, Site("treso", "broker.lan")),
        "holds the keys of 'casaco' already: add, rotate or revoke",
    ),
    "a folder of something else": (
        lambda ring: Keyring.create(ring.broker, SITE),
        "holds ca.crt and no site's keys: name an empty folder",
    ),
    "no folder": (lambda ring: Keyring.open(ring.folder / "none"), "no site's keys; make them with: loquet keys init"),
    "an edge named twice": (
        lambda ring: Keyring.create(ring.folder / "new", Site("treso", "broker.lan", ("a", "a"))),
        "edge 'a': named twice",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused_and_changes_nothing(ring: Keyring, case: str) -> None:
    act, words = WRONG[case]
    before = contents(ring.folder)
    with pytest.raises(CommandError, match=words):
        act(ring)
    assert contents(ring.folder) == before


LOST = {
    "authority/ca.key": "authority",
    "broker/tls.key": "broker",
    "server/tls.key": "server",
    "server/server.pem": "server",
    "server/credential.hex": "credential",
}


DAMAGED = {**LOST, "edges/front/tls.key": "front", "edges/front/edge.pem": "front"}


def refused_by_all_but_its_rotation(ring: Keyring, name: str, words: str, part: str) -> None:
    before = contents(ring.folder)
    for act in (
        lambda: ring.add("laser"),
        lambda: ring.rotate("garage"),
        lambda: ring.revoke("garage"),
        lambda: Keyring.create(ring.folder, SITE),
    ):
        with pytest.raises(CommandError, match=rf"{name}: {words}: .*: loquet keys rotate \S+ {part}$"):
            act()
    assert contents(ring.folder) == before
    ring.rotate(part)
    assert not [fault for machine in (AUTHORITY, *ring.machines()) for fault in faults(ring, machine)]


@pytest.mark.parametrize("name", LOST)
def test_what_others_hang_on_is_made_anew_only_when_asked(ring: Keyring, name: str) -> None:
    """Else whoever adds an edge would shut out all the others, and learn it at the doors."""
    (ring.folder / name).unlink()
    refused_by_all_but_its_rotation(ring, name, "is not there", LOST[name])


@pytest.mark.parametrize("name", ["server/server.pem", "server/credential.hex"])
def test_nor_is_it_when_the_authoritys_certificate_is_lost_too(ring: Keyring, name: str) -> None:
    for file in ("authority/ca.crt", name):
        (ring.folder / file).unlink()
    refused_by_all_but_its_rotation(ring, name, "is not there", LOST[name])


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_secret_is_copied_nowhere(ring: Keyring, name: str) -> None:
    """Else the edges' copies, the last good ones, would be overwritten."""
    (ring.folder / name).write_text("0123\n")
    refused_by_all_but_its_rotation(ring, name, "is damaged, or something else", DAMAGED[name])


def test_a_folder_with_a_space_is_named_so_that_it_can_be_typed(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "the keys", SITE)
    with pytest.raises(CommandError, match=r"loquet keys rotate '\S+/the keys' front$"):
        ring.add("front")


def test_several_that_are_damaged_are_renewed_together(ring: Keyring) -> None:
    """One by one each would be refused because of the others."""
    (ring.server / "credential.hex").write_text("x")
    (ring.edge("front") / "edge.pem").write_text("x")
    for part in ("credential", "front", "garage"):
        with pytest.raises(CommandError, match=r"credential.hex: .*; \S+edge.pem: .* rotate \S+ credential front$"):
            ring.rotate(part)
    ring.rotate("credential", "front")
    assert not [fault for machine in (AUTHORITY, *ring.machines()) for fault in faults(ring, machine)]


@pytest.mark.parametrize("name", ["authority/ca.crt", "broker/tls.crt", "edges/front/tls.crt", "edges/front/ca.crt"])
def test_a_certificate_that_is_damaged_is_issued_anew(ring: Keyring, name: str) -> None:
    """It is no secret; what is out there stays good, since its key is the same."""
    old = pem.certificate(ring.edge("garage") / "tls.crt")
    (ring.folder / name).write_text("x")
    assert [fault for machine in (AUTHORITY, *ring.machines()) for fault in faults(ring, machine)]
    ring.rotate("front")
    assert not [fault for machine in (AUTHORITY, *ring.machines()) for fault in faults(ring, machine)]
    old.verify_directly_issued_by(pem.certificate(ring.authority / "ca.crt"))


def test_an_edge_whose_own_keys_are_damaged_can_be_revoked(ring: Keyring) -> None:
    (ring.edge("garage") / "tls.key").write_text("x")
    (ring.broker / "tls.key").unlink()
    with pytest.raises(CommandError, match=r"rotate \S+ broker$"):  # and not what is to go
        ring.revoke("garage")
    ring.rotate("broker", "garage")
    (ring.edge("garage") / "tls.key").write_text("x")
    ring.revoke("garage")
    assert not ring.edge("garage").exists()


def test_a_list_of_edges_that_is_spoilt_is_named(ring: Keyring) -> None:
    (ring.folder / "site.json").write_text('{"site": 3}')
    with pytest.raises(CommandError, match=r"site\.json: .*: mend it, or take it from a copy"):
        Keyring.open(ring.folder)


def test_init_again_makes_nothing_anew(ring: Keyring) -> None:
    before = contents(ring.folder)
    Keyring.create(ring.folder, SITE)
    assert contents(ring.folder) == before


def test_a_demo_asks_for_its_edges_each_time(ring: Keyring) -> None:
    before = contents(ring.folder)
    again = Keyring.ensure(ring.folder, "casaco", "front", "laser")
    assert again.site.edges == ("front", "garage", "laser")
    assert {path for path, content in before.items() if contents(ring.folder)[path] != content} == {
        "site.json",
        "broker/loquet.acl",
        "broker/loquet.conf",
    }
