"""How does a bundle come out of a file, and go back into one? JSON, `loquet.bundle/1`."""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import tzinfo
from itertools import islice

import msgspec

from policy.bundle import Bundle
from policy.check import contradictions
from policy.decode import Decoded, read
from policy.errors import COUNTED, BundleError, Problem, listing
from policy.forms import malformed
from policy.uids import plain

ZoneOf = Callable[[str], tzinfo]
"""Opens a time zone by its name, as zoneinfo.ZoneInfo does."""
NOWHERE = ("localtime", "Factory", "posixrules")
"""Names on each machine that are no place's: the first is its own zone, and door and server may have two."""
_PART = re.compile(r"\w+\[[0-9]+\]")
_ID = re.compile(r"\w+(\[[0-9]+\](\.id)?)?")


def parse(text: bytes, where: str, zone_of: ZoneOf | None = None) -> Bundle:
    """The checked bundle in a file. Raises BundleError naming file (where), and for each mistake key, value and remedy.

    zone_of: without it the name of the time zone is not checked, nor a local time compared with one with an offset.
    """
    decoded = read(Bundle, text, where)
    bundle = plain(decoded.value)
    if problems := list(islice(_problems(decoded, bundle, zone_of), COUNTED)):
        raise BundleError(listing(where, problems, decoded.whole))
    return bundle


def _problems(decoded: Decoded[Bundle], bundle: Bundle, zone_of: ZoneOf | None) -> Iterator[Problem]:
    """What does not fit, what is badly written, and what contradicts something else, each place once."""
    yield from decoded.problems
    if "" in decoded.unfit:
        return
    zone = None
    if zone_of and not _is_said("site.timezone", decoded.unfit):
        zone = _zone(bundle.site.timezone, zone_of)
        if zone is None:
            why = "no such time zone: use a name of the tz database, as Europe/Paris"
            yield Problem("site.timezone", bundle.site.timezone, why)
    yield from (problem for problem in malformed(decoded.value) if not _is_said(problem.key, decoded.unfit))
    mended = {_part(spot) for spot in decoded.unfit - decoded.left_out}
    for problem in contradictions(bundle, zone, unsure=_unsure(decoded.unfit)):
        if _part(problem.key) not in mended and not _is_said(problem.key, decoded.unfit):
            yield problem


def _is_said(key: str, unfit: Collection[str]) -> bool:
    """Whether there is a stand-in at the place, in it, or around it."""
    return any(key == spot or key.startswith((f"{spot}.", f"{spot}[")) or spot.startswith(f"{key}.") for spot in unfit)


def _part(key: str) -> str:
    """The object of a collection that the path is in: members[3] of members[3].tier."""
    match = _PART.match(key)
    return match[0] if match else key


def _unsure(unfit: Collection[str]) -> frozenset[str]:
    """The collections of which somebody's id is a stand-in: what is named may be meant for it."""
    return frozenset(spot.partition("[")[0] for spot in unfit if _ID.fullmatch(spot))


def export(bundle: Bundle) -> bytes:
    """The file that `parse` reads back to an equal bundle. What has its default value is left out."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n"


def _zone(name: str, zone_of: ZoneOf) -> tzinfo | None:
    if name in NOWHERE:
        return None
    try:
        return zone_of(name)
    except (LookupError, ValueError, OSError):
        return None
