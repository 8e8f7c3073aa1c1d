"""What waits for an answer on the demo's first day?"""

from contextlib import closing
from pathlib import Path

from policy.terms import DAY
from server.queries.training_sessions import coming
from simulator.demo import asked, casaco
from simulator.demo.bench_badges import carnet_holder
from simulator.demo.fablab import expired
from simulator.world import World
from tests.support_world import NOON, TUESDAY

SITE = casaco.bundle(TUESDAY)


def test_one_more_wants_to_learn_to_mill_than_can_and_there_is_room_at_the_printers(tmp_path: Path) -> None:
    with (
        closing(World(SITE, tmp_path, NOON, {"front": "front"})) as world,
        world.server.database.transaction() as session,
    ):
        asked.trainings(session, SITE, TUESDAY, NOON)
        milling, printing = coming(session, NOON)
    assert (len(milling.taken), len(milling.waiting), len(printing.seats)) == (3, 1, 0)
    assert [seat.member for seat in milling.taken][:2] == [expired(SITE).id, carnet_holder(SITE).id]
    assert len({seat.member for seat in milling.seats}) == 4
    trained = {one.member for one in SITE.certifications if one.kind == milling.kind and one.until is None}
    assert not trained & {seat.member for seat in milling.seats}
    assert milling.start < printing.start < milling.start + 7 * DAY
