"""The nouns that every room shares."""

from enum import StrEnum
from typing import TypeAlias

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z, without leap seconds."""

SECOND: Instant = 1000
MINUTE: Instant = 60 * SECOND
HOUR: Instant = 60 * MINUTE
DAY: Instant = 24 * HOUR


class ClockState(StrEnum):
    """How far an edge's wall clock can be believed."""

    SYNCED = "synced"
    """Set by network time or by the server's signed time."""
    RTC = "rtc"
    """Carried through a power cut by a battery."""
    UNKNOWN = "unknown"
    """Back from a power cut without either: not trusted."""


class Direction(StrEnum):
    """Which way a door reader leads."""

    IN = "in"
    OUT = "out"
