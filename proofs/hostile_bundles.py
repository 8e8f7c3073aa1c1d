"""What if a bundle file is hostile? Bytes of any sort, and good bundles with one thing turned into another."""

from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from policy.bundle import Bundle
from policy.compile import compile_rules
from policy.errors import BundleError
from policy.parse import export, parse
from server.errors import ImportRefusedError
from server.queries.public_holidays import holidays_of
from wire.credential import pseudonym

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 1e308, "", "x", "24:00", "2026-02-30", "0001-01-01T00:00", "9999-12-31T23:59:59+14:00",
    "é" * 300, [], {}, [[]], {"": ""}, ["09:00", "09:00"], [["09:00", "08:59"]],
)  # fmt: skip
KEY = bytes(range(32))
AT = round(datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp() * 1000)


class Bundles:
    """bundle: a good one, of which the hostile ones are made."""

    def __init__(self, bundle: Bundle) -> None:
        self._good = export(bundle)

    def file(self, luck: Random) -> str | None:
        """One hostile file; what went wrong, None when it was refused in words or compiled."""
        written = luck.choice((_bytes, _cut, _flipped, _nested, _altered, _altered, _altered, _altered))(
            luck, self._good
        )
        try:
            _compile(parse(written, "bundle.json", ZoneInfo))
        except (BundleError, ImportRefusedError) as error:
            return None if str(error) else "refused without a word"
        except Exception as error:
            return f"{type(error).__name__}: {error}: {written[:300]!r}"
        return None


def _compile(bundle: Bundle) -> None:
    compile_rules(
        bundle,
        zone=ZoneInfo(bundle.site.timezone),
        holidays=holidays_of(bundle.site.holidays),
        pseudonym=lambda uid: pseudonym(KEY, uid),
        edges={},
        at=AT,
    )


def _bytes(luck: Random, _: bytes) -> bytes:
    return luck.randbytes(luck.randrange(200))


def _cut(luck: Random, good: bytes) -> bytes:
    return good[: luck.randrange(len(good))]


def _flipped(luck: Random, good: bytes) -> bytes:
    spoilt = bytearray(good)
    for _ in range(luck.randint(1, 4)):
        spoilt[luck.randrange(len(spoilt))] = luck.randrange(256)
    return bytes(spoilt)


def _nested(luck: Random, _: bytes) -> bytes:
    depth = luck.randint(1, 20_000)
    return b'{"format":"loquet.bundle/1","site":' + luck.choice((b"[", b'{"a":')) * depth


def _altered(luck: Random, good: bytes) -> bytes:
    """One to three places of a good bundle hold something else, are gone, or stand there twice."""
    bundle = msgspec.json.decode(good)
    for _ in range(luck.randint(1, 3)):
        place = luck.choice(list(_places(bundle)))
        _spoil(luck, *place)
    return msgspec.json.encode(bundle)


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) in the tree."""
    if isinstance(node, dict):
        here = [(node, key) for key in node]
        return here + [place for child in node.values() for place in _places(child)]
    if isinstance(node, list):
        there: list[tuple[Any, Any]] = [(node, index) for index in range(len(node))]
        return there + [place for child in node for place in _places(child)]
    return []


def _spoil(luck: Random, container: Any, key: Any) -> None:
    drawn = luck.random()
    if drawn < 0.6:
        container[key] = deepcopy(luck.choice(ODD))
    elif drawn < 0.8 and isinstance(container, dict):
        container[luck.choice(("id", "start", "from", "extra", "members"))] = container.pop(key)
    elif drawn < 0.9 and isinstance(container, list):
        container.append(container[key])
    else:
        del container[key]
