"""A day of the demo's people, as fast as it goes: at its end the pages agree with a recount of what they really did."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from edge.journal_errors import JournalError
from policy.terms import DAY, HOUR
from server.app import create_app
from simulator.demo.casaco import bundle, first_day
from simulator.demo.people import day
from simulator.demo.recount import Recount, recount
from simulator.demo.street import Street
from simulator.door import Door
from simulator.world import World
from tests.support_pages import PASSWORD, STAFF, TOKEN, configure, plain

TUESDAY = first_day(date(2026, 11, 23))
SEED = 148


class Lived:
    """The day, lived through: the world after it, and what was seen on the way."""

    def __init__(self, folder: Path, seed: int) -> None:
        site = bundle(TUESDAY)
        self.intents = day(site, seed, TUESDAY)
        self.start = self.intents[0].at // HOUR * HOUR
        self.world = World(site, folder, self.start, {"front": "front"})
        self.edge = self.world.edges["front"]
        self.street = Street(self, Door(self.edge.pins.put))
        self.street.send(self.intents)
        self.world.watch = lambda _, name, active, at: self.street.notice(name, active, at)
        self.end = self.world.server.publisher.current.rules.day_start(self.start) + DAY - 1000
        self.world.run_until(self.end, self.street.due, self.street.step)
        configure(self.world.server.database)
        app = create_app(self.world.server.context())
        self.client = app.test_client()
        self.api = {"Authorization": f"Bearer {TOKEN}"}

    def lay(self, reader: str, uid: bytes) -> None:
        self.edge.readers[reader].lay(uid)

    def take(self, reader: str, uid: bytes) -> None:
        self.edge.readers[reader].take(uid)

    def log_in(self) -> None:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/login").text)
        assert token is not None
        form = {"name": STAFF, "password": PASSWORD, "csrf_token": token[1]}
        assert self.client.post("/login", data=form).status_code == 303

    def passages(self) -> list[dict[str, object]]:
        """All of them, page by page."""
        items: list[dict[str, object]] = []
        after = 0
        while True:
            answer = self.client.get(f"/api/v1/passages?after={after}&limit=50", headers=self.api).get_json()
            items += answer["items"]
            if not answer["items"] or answer["next"] is None:
                return items
            after = answer["next"]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    lived = Lived(tmp_path_factory.mktemp("day"), SEED)
    with closing(lived.world):
        yield lived


@pytest.fixture(scope="module")
def tally(lived: Lived) -> Recount:
    return recount(lived.intents)


def test_it_is_a_working_day_with_every_reason(lived: Lived, tally: Recount) -> None:
    assert 60 <= tally.arrivals <= 110
    assert set(tally.taps) == {
        "egress", "staff", "own_shift", "always", "staffed_hours", "gardien_present", "unknown_credential",
        "credential_blocked", "member_suspended", "membership_not_valid", "not_allowed_here", "outside_hours",
    }  # fmt: skip


def test_every_tap_is_in_the_history_with_the_reason_that_the_story_expects(lived: Lived, tally: Recount) -> None:
    told = Counter(str(item["reason"]) for item in lived.passages())
    assert told == tally.taps


def test_the_page_of_the_day_shows_who_came(lived: Lived, tally: Recount) -> None:
    lived.log_in()
    page = lived.client.get("/today").text
    text = plain(page)
    assert f"{tally.arrivals} arrivées, {tally.visitors} personnes jusqu’à" in text
    rows = re.findall(r'<tr><th scope="row">(\d+)\sh\s–\u2060\s\d+\sh</th><td class="number">(\d+)</td></tr>', page)
    shown = {int(hour): int(count) for hour, count in rows}
    midnight = lived.world.server.publisher.current.rules.day_start(lived.start) - 4 * HOUR
    counted = {hour % 24: tally.peak(midnight + hour * HOUR, midnight + (hour + 1) * HOUR) for hour in range(8, 28)}
    assert {hour: shown[hour] for hour in counted} == counted


def test_the_front_page_knows_who_is_inside(lived: Lived, tally: Recount) -> None:
    answer = lived.client.get("/api/v1/now", headers=lived.api).get_json()
    inside = len(tally.inside(lived.end))
    assert answer["inside"] == (inside if inside >= 3 else None)
    assert (answer["open"], answer["until"], answer["held_by"]) == (False, None, [])


def test_nothing_is_left_behind_at_the_edge(lived: Lived) -> None:
    storage = lived.edge.edge.storage
    assert storage.writer.journal is not None
    assert storage.writer.journal.acknowledged == storage.writer.journal.last_seq > 300
    assert lived.edge.edge.control.controller.core.unrecorded == 0


@pytest.mark.parametrize("seed", [1])
def test_other_days_agree_as_well(tmp_path: Path, seed: int) -> None:
    lived = Lived(tmp_path, seed)
    with closing(lived.world):
        assert Counter(str(item["reason"]) for item in lived.passages()) == recount(lived.intents).taps
        journal = lived.edge.edge.storage.writer.journal
    assert journal is not None
    with pytest.raises(JournalError):
        journal.save()
