"""How does a command say in English what the pages say? With their sentences and catalogue, without a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask

from policy.terms import Instant
from server.text.translate import speak


@dataclass(frozen=True, slots=True)
class Asked:
    """What server/text/dates.py wants to know, of the site's zone and of now."""

    zone: ZoneInfo
    now: Instant

    def current(self) -> "Asked":
        return self

    def clock(self) -> Instant:
        return self.now


@contextmanager
def in_english(zone: ZoneInfo, now: Instant) -> Iterator[None]:
    """For all that is said below."""
    app = Flask("server")
    app.extensions["loquet"] = Asked(zone, now)
    speak(app, lambda: "en")
    with app.app_context():
        yield
