"""How does a bundle come out of a file, and go back into one? JSON, `loquet.bundle/1`."""

from collections.abc import Callable
from datetime import tzinfo

import msgspec

from policy.bundle import Bundle
from policy.check import check
from policy.decode import decode
from policy.errors import BundleError, Problem

ZoneOf = Callable[[str], tzinfo]
"""Opens a time zone by its name, as zoneinfo.ZoneInfo does."""


def parse(text: bytes, where: str, zone_of: ZoneOf | None = None) -> Bundle:
    """The checked bundle in a file. Raises BundleError naming file (where), key, value and remedy.

    zone_of: without it the name of the time zone is not checked, nor a local time compared with one with an offset.
    """
    bundle = decode(Bundle, text, where)
    site = bundle.site
    zone = _zone(site.timezone, where, zone_of) if zone_of else None
    check(bundle, where, zone)
    return bundle


def export(bundle: Bundle) -> bytes:
    """The file that `parse` reads back to an equal bundle. What has its default value is left out."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n"


def _zone(name: str, where: str, zone_of: ZoneOf) -> tzinfo:
    try:
        return zone_of(name)
    except (LookupError, ValueError, OSError):
        why = "no such time zone: use a name of the tz database, as Europe/Paris"
        raise BundleError(f"{where}: {Problem('site.timezone', name, why)}") from None
