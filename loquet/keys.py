"""`loquet keys`: how does a site get its keys, and get rid of one? Each step ends with what to carry where, to copy."""

import argparse
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from console.errors import CommandError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from keys.keyring import Keyring
    from policy.terms import Instant

HOMES = {
    "broker": "/etc/mosquitto/loquet on its machine, owned by mosquitto; then: sudo systemctl restart mosquitto",
    "server": "/etc/loquet/server/keys on its machine, owned by loquet; then: sudo systemctl restart loquet-server",
}
"""Where what is carried belongs, and what makes it count."""
EDGE_HOME = "/etc/loquet/keys on its Pi, owned by loquet; then: sudo systemctl restart loquet-edge"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    init = _step(steps, "init", "make the keys of a new site")
    init.add_argument("--site", required=True, metavar="ID", help="the site's id, as in its bundle")
    init.add_argument(
        "--broker", required=True, metavar="HOST", help="name or address under which the broker is reached"
    )
    init.add_argument("--edges", nargs="*", default=[], metavar="ID", help="an id for each Raspberry Pi")
    more = _step(steps, "add", "make the keys of one more edge")
    more.add_argument("edge", metavar="EDGE", help="the id of the new one")
    rotate = _step(steps, "rotate", "make new keys in place of old ones")
    rotate.add_argument(
        "parts",
        nargs="+",
        metavar="WHAT",
        help="an edge's id, server, broker, credential, authority or backup; or several",
    )
    rotate.add_argument("--broker", metavar="HOST", help="with broker: its new name or address")
    _step(steps, "mend", "make anew what is missing or damaged and is no secret; the keys that are there stay")
    revoke = _step(steps, "revoke", "shut an edge out for good")
    revoke.add_argument("edge", metavar="EDGE", help="its id, which no other gets while old certificates count")
    revoke.add_argument(
        "--since",
        type=_instant,
        metavar="INSTANT",
        help="when it was stolen, as 2026-11-24T18:00+01:00: what it said since is not believed (now)",
    )
    _step(steps, "list", "say what there is and what is wrong with it; no secret is shown")


def _instant(written: str) -> "Instant":
    from policy.instants import meant

    try:
        return meant(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{written!r}: {error}") from None


def _step(
    steps: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, purpose: str
) -> argparse.ArgumentParser:
    parser = steps.add_parser(name, help=purpose, description=purpose)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the site's keys")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Raises CommandError for what cannot be done, and for a disk that does not take it."""
    steps: dict[str, Callable[[argparse.Namespace], Iterable[str]]] = {
        "init": _init,
        "add": _add,
        "rotate": _rotate,
        "mend": _mend,
        "revoke": _revoke,
        "list": _list,
    }
    try:
        for line in steps[arguments.step](arguments):
            print(line)
    except OSError as error:
        where = error.filename or arguments.folder
        raise CommandError(
            f"{where}: {error.strerror or error}: see to room and rights there, then run it again"
        ) from None
    except ValueError as error:
        raise CommandError(f"{arguments.folder}: {error}: take the file from a copy of the folder") from None
    return 0


def _init(arguments: argparse.Namespace) -> Iterable[str]:
    from keys.keyring import Keyring, Site

    site = Site(arguments.site, arguments.broker, tuple(arguments.edges))
    began = (arguments.folder / "site.json").exists()
    ring = Keyring.create(arguments.folder, site)
    if began:
        made = _made(ring)
        yield f"{ring.folder}: holds the keys of {ring.site.site} already; they are as they were."
        yield (
            f"Made now, for it was missing or did not fit: {made}" if made else "Nothing was missing, nothing was made."
        )
    else:
        yield f"{ring.folder}: the keys of {ring.site.site}. Keep the folder offline, and a copy of it elsewhere."
    yield from _carry(ring, "broker", "server", *ring.site.edges)
    yield from _known(ring)


def _add(arguments: argparse.Namespace) -> Iterable[str]:
    ring = _open(arguments)
    ring.add(arguments.edge)
    yield from _carry(ring, *_touched(ring))
    yield from _known(ring, *_renewed(ring))


def _rotate(arguments: argparse.Namespace) -> Iterable[str]:
    from keys.keyring import BACKUP

    ring, parts = _open(arguments), arguments.parts
    if arguments.broker and "broker" not in parts:
        raise CommandError("--broker HOST: only with broker, whose address it is")
    ring.rotate(*parts, broker=arguments.broker)
    yield from _carry(ring, *_touched(ring))
    if BACKUP in parts:
        yield f'In server.toml: [backup] recipient = "{ring.recipient}"; the keys before it stay, for older copies'
    if renewed := _renewed(ring):
        yield from _known(ring, *renewed)
        yield "Were the old keys in strange hands? Then revoke the edge instead: its old certificate still connects."
    if arguments.broker:
        yield f'In each edge.toml and in server.toml: [broker] host = "{ring.site.broker}"'


def _mend(arguments: argparse.Namespace) -> Iterable[str]:
    ring = _open(arguments)
    ring.mend()
    if not ring.made:
        yield f"{ring.folder}: nothing was missing, nothing was made."
        return
    yield f"Made anew: {_made(ring)}"
    yield from _carry(ring, *_touched(ring))
    if renewed := _renewed(ring):
        yield from _known(ring, *renewed)


def _touched(ring: "Keyring") -> Iterable[str]:
    """The machines in whose folders something is new."""
    return [name for name, folder in ring.machines().items() if any(folder in file.parents for file in ring.made)]


def _renewed(ring: "Keyring") -> Iterable[str]:
    """The edges that sign with another key now."""
    from keys.keyring import SIGNING

    return [edge for edge in ring.site.edges if ring.edge(edge) / SIGNING in ring.made]


def _made(ring: "Keyring") -> str:
    return ", ".join(str(file.relative_to(ring.folder)) for file in ring.made)


def _revoke(arguments: argparse.Namespace) -> Iterable[str]:
    from policy.instants import text

    ring = _open(arguments)
    ring.revoke(arguments.edge)
    yield f"{arguments.edge} is off the broker's list, once the broker has it and was restarted; until then it is in:"
    yield from _carry(ring, "broker")
    since = int(time.time() * 1000) if arguments.since is None else arguments.since
    yield f'In server.toml, in place of the [[edges]] with id = "{arguments.edge}"; then restart the server:'
    yield f'  [[revoked]]\n  id = "{arguments.edge}"\n  since = "{text(since)}"'


def _list(arguments: argparse.Namespace) -> Iterable[str]:
    from keys.faults import faults
    from keys.keyring import AUTHORITY, BACKUP

    ring = _open(arguments)
    yield f"site {ring.site.site}, broker {ring.site.broker}"
    wrong = 0
    for name in (AUTHORITY, BACKUP, *ring.machines()):
        yield f"{name}: {_what(ring, name)}"
        for number, fault in enumerate(faults(ring, name), wrong + 1):
            wrong = number
            yield f"  WRONG: {fault}"
    if ring.site.revoked:
        yield f"revoked: {', '.join(ring.site.revoked)}"
    if wrong:
        raise CommandError(f"{ring.folder}: {wrong} wrong, each named above with its remedy")


def _open(arguments: argparse.Namespace) -> "Keyring":
    from keys.keyring import Keyring

    return Keyring.open(arguments.folder)


def _carry(ring: "Keyring", *names: str) -> Iterable[str]:
    yield "Carry (docs/keys.md has the commands):"
    for name in names:
        yield f"  {ring.machines()[name]} -> {HOMES.get(name, EDGE_HOME)}"


def _known(ring: "Keyring", *edges: str) -> Iterable[str]:
    """What the server is told of edges: all of them, or those that are named."""
    yield "In server.toml, with the access points that each edge serves; then restart the server:"
    for edge in edges or ring.site.edges:
        yield f'  [[edges]]\n  id = "{edge}"\n  public_key = "{ring.public_hex(edge)}"\n  access_points = ["{edge}"]'


def _what(ring: "Keyring", name: str) -> str:
    """A certificate and the public half of what signs, as far as they can be read; nothing that is secret."""
    from keys import pem
    from keys.keyring import AUTHORITY, BACKUP, BROKER
    from keys.mosquitto import CA, CERTIFICATE

    if name == BACKUP:
        with suppress(OSError, ValueError):
            return f"copies are sealed to {ring.recipient}"
        return ""
    file = ring.authority / CA if name == AUTHORITY else ring.machines()[name] / CERTIFICATE
    told = []
    with suppress(OSError, ValueError):
        told.append(_certificate(pem.certificate(file)))
    if name not in (AUTHORITY, BROKER):
        with suppress(OSError, ValueError):
            told.append(f"signs as {_public(ring, name)}")
    return ", ".join(told)


def _public(ring: "Keyring", name: str) -> str:
    key = ring.server_key if name == "server" else ring.edge_key(name)
    return key.public_key().public_bytes_raw().hex()


def _certificate(certificate: "Certificate") -> str:
    from keys.certificates import LAST, fingerprint

    last = certificate.not_valid_after_utc
    ends = "no end" if last.year == LAST.year else f"until {last:%Y-%m-%d}"
    return f"certificate {fingerprint(certificate)}, {ends}"
