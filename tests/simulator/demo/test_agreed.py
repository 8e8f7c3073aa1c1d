"""Do the demo's gardiens take an evening and swap two by presses of the page, and does everybody hear of it?"""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from sqlmodel import col, select

from server.app import create_app
from server.audit import Decided
from server.changes.rota import ground
from server.models import AccountSession, Message
from server.queries.names import called
from server.rota_news import RotaNews
from simulator.demo import agreed, casaco, logins
from simulator.demo.agreed import What
from simulator.demo.evenings import shifts
from simulator.world import World
from tests.support_world import BUNDLE, TUESDAY

SITE = casaco.bundle(TUESDAY)
NOON = 1795518000000
NEXT = [one for one in agreed.presses(SITE, TUESDAY) if 0 < one.at - NOON < 6 * 3_600_000]


def test_each_week_has_a_gap_that_is_taken_and_nearly_each_a_swap() -> None:
    told = agreed.presses(SITE, TUESDAY)
    assert list(told) == sorted(told, key=lambda one: one.at)
    assert [one.what for one in NEXT] == [What.PROPOSE, What.TAKE, What.ACCEPT]
    taken = [one for one in BUNDLE.rota_changes if one.rota == casaco.TAKEN_LATE.id]
    assert len(taken) == sum(casaco.works(one.date) for one in taken) > 25
    assert len({one.gardien for one in taken}) > 4


def test_nobody_of_the_story_holds_two_evenings_at_one_time() -> None:
    for on in (TUESDAY + timedelta(days=offset) for offset in range(-28, 150)):
        held = shifts(BUNDLE, on)
        assert all(one.end <= other.start for one, other in pairwise(held)), on
        assert len({one.gardien for one in held}) == len(held), on


def test_the_gap_is_told_at_noon_taken_and_two_swap_each_by_a_press_of_the_page(tmp_path: Path) -> None:
    with closing(World(SITE, tmp_path, NOON + 1000, {"front": "front"})) as world:
        database = world.server.database
        with database.transaction() as session:
            known = logins.logins(SITE, TUESDAY)
            logins.make(session, (*known, *logins.by_mail(SITE, known)), None)
        context = replace(world.server.context(), channels=frozenset({"mail"}))
        app = create_app(context)
        RotaNews(app, context).tick()
        assert [agreed.press(app, database, one) for one in NEXT] == [303, 303, 303]
        with database.reading() as session:
            held = ground(session, Decided("test", NOON)).bundle
            written = session.exec(select(Message.subject).order_by(col(Message.id)))
            subjects = [one.replace("\N{NO-BREAK SPACE}", " ") for one in written]
            assert session.exec(select(AccountSession)).all() == []
        for on in (TUESDAY + timedelta(days=offset) for offset in range(5)):
            assert shifts(held, on) == shifts(BUNDLE, on)
        told = [one for one in subjects if not one.startswith("Et vous")]
        assert told[0].startswith("Personne pour ouvrir : mer. 25 nov., 20 h")
        one, other = (called(SITE).member(NEXT[which].who).replace("\N{NO-BREAK SPACE}", " ") for which in (0, 2))
        assert told[-2:] == [f"{one} vous propose un échange de gardes", f"Échange accepté par {other}"]
        assert agreed.press(app, database, NEXT[2]) == 409, "what is done is not done again"
