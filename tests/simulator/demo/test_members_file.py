"""The file of members beside the demo: each of its lines is one that a desk meets."""

from contextlib import closing
from datetime import date
from pathlib import Path

from server.audit import Decided
from server.changes.member_import import of as kept_import
from server.changes.member_import import plan, start
from simulator.demo.casaco import bundle
from simulator.demo.members_file import NAME, members_file
from tests.support_pages import Place
from tests.support_server import site_database

TUESDAY = date(2026, 11, 24)
SITE = bundle(TUESDAY)


def test_newcomers_a_change_one_as_known_and_two_that_wait(tmp_path: Path) -> None:
    with closing(site_database(tmp_path, SITE)) as database:
        place = Place(database)
        with database.transaction() as session:
            which = start(session, Decided("equipe", place.now), NAME, members_file(SITE, TUESDAY))
            kept = kept_import(session, which)
            assert kept is not None
            lines = plan(session, place.publisher.current, kept, place.now)
    assert [str(line.kind) for line in lines] == ["new", "new", "changed", "same", "refused", "refused"]
