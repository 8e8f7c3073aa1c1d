"""A small cast and a front door, shared by tests.

Alice is staff, Grégoire a gardien, Brigitte a nomad, Rémy a resident.
"""

from policy.instants import instant
from policy.ruleset import SPEAKS, Credential, Ground, Member, Reader, RuleSet, Tier
from policy.spans import spans
from policy.terms import DAY, Direction

MIDNIGHT = instant("2026-11-24T00:00:00+01:00")
"""Tuesday 24 November 2026, Paris."""

ALICE, BRIGITTE, GREGOIRE, REMY = (bytes.fromhex(uid) for uid in ("04A11CE0", "04B10000", "04610000000001", "04C30000"))
UNKNOWN = bytes.fromhex("DEADBEEF")


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    """An instant of that Tuesday, local hours."""
    return MIDNIGHT + ((hour * 60 + minute) * 60 + second) * 1000


def name_of(uid: bytes) -> str:
    """A pseudonym that a test can read; the real one is wire.credential.pseudonym."""
    return uid.hex()


def small_rules() -> RuleSet:
    """Staffed from 9 to 18, Grégoire's shift from 18 to 22 with its lead and grace."""
    return RuleSet(
        site="casaco",
        dates=("2026-11-21",),
        days=(at(4) - 3 * DAY,),
        splits=(at(13) - 3 * DAY,),
        speaks=SPEAKS,
        staffed=spans([(at(9), at(18))]),
        tiers={
            "nomad": Tier((Ground.STAFFED, Ground.HELD)),
            "resident": Tier((Ground.ALWAYS,)),
            "team": Tier((Ground.STAFFED, Ground.HELD)),
        },
        members={
            "alice": Member("team", staff=True),
            "brigitte": Member("nomad"),
            "gregoire": Member("nomad", gardien=True),
            "remy": Member("resident"),
        },
        credentials={
            ALICE.hex(): Credential("alice"),
            BRIGITTE.hex(): Credential("brigitte"),
            GREGOIRE.hex(): Credential("gregoire"),
            REMY.hex(): Credential("remy"),
        },
        shifts={"gregoire": spans([(at(17, 30), at(22, 15))])},
        planned={"gregoire": ((at(18), at(22)),)},
        readers={
            "front-in": Reader("front", Direction.IN, "front"),
            "front-out": Reader("front", Direction.OUT, "front"),
        },
        edges={"front": "00" * 32},
    )
