"""What the desk does to carnets: sold, given back, moved to another, paid after all; page, doors and account agree."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete
from sqlmodel import Session, select

from policy.bundle import Bundle, Credential, Pass
from policy.case import Tap
from policy.door import decide
from policy.facts import Paid
from policy.passes import is_paid, left, unit_now
from policy.reasons import Reason
from policy.ruleset import Ground
from policy.terms import DAY
from server.audit import Decided
from server.changes import carnets
from server.changes.bundle import import_bundle
from server.changes.carnets import Sale
from server.changes.outcomes import Wrong
from server.changes.people import Done
from server.database.types import moment
from server.errors import ChangeRefusedError, Refused
from server.ingest.facts import ToldBy, store
from server.models import AuditRow, CarnetEntry, PaidUnit
from server.queries.carnets import account_of, with_taps
from server.queries.people import day_of
from server.queries.site_state import state_at
from tests.server.changes.test_member_changes import post
from tests.server.queries.test_carnets import AM, PM, zoe_pays
from tests.support_pages import CREDENTIAL_KEY, STAFF, Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at
from wire.credential import pseudonym

pytestmark = pytest.mark.sqlite

BACK, AGAIN = "/members/zoe/carnets/given-back", "/members/zoe/carnets/charged-again"
TODAY, UID = date(2026, 11, 24), bytes.fromhex("04E10001")


def door_left(place: Place, when: int = at(19)) -> int:
    """What the door would reckon by its rules and the state."""
    with place.database.reading() as session:
        return left(place.publisher.current.rules, state_at(session, when), "zoe", when)


def lines_left(place: Place, when: int = at(19)) -> int:
    """The sum of all lines of the carnets that have begun."""
    current = place.publisher.current
    today = day_of(current, when)
    with place.database.reading() as session:
        account = account_of(session, "zoe")
        begun = [one for one in account.carnets if one.held.valid_from is None or one.held.valid_from <= today]
        return sum(line.units for one in begun for line in account.lines(one, today, current.zone))


def entries(place: Place) -> list[tuple[str, int, str | None, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(CarnetEntry).order_by(CarnetEntry.id))
        return [(row.did, row.units, row.unit, row.by, row.why or row.price) for row in rows]


def test_a_carnet_is_sold_and_the_door_counts_it(place: Place) -> None:
    sale = {"units": "10", "price": "120 € le carnet", "last": "28/02/2027"}
    status, page = post(place, "/members/zoe/carnets", place.staff(), **sale)
    assert (status, "Carnet vendu." in page) == (303, True)
    assert "10 demi-journées, jusqu’au dim. 28 févr. 2027" in page
    assert "sur 10, carnet pris le mar. 24 nov., 120 € le carnet, vendu par equipe" in page
    assert door_left(place) == lines_left(place) == 23
    assert entries(place) == [("sold", 10, None, STAFF, "120 € le carnet")]
    with place.database.reading() as session:
        assert session.exec(select(AuditRow.did, AuditRow.noun).where(AuditRow.account == STAFF)).all() == [
            ("added", "pass")
        ]


@pytest.mark.parametrize(
    ("sale", "said"),
    [
        ({"units": ""}, "de 1 à 1000"),
        ({"units": "0"}, "de 1 à 1000"),
        ({"units": "1001"}, "de 1 à 1000"),
        ({"units": "-3"}, "de 1 à 1000"),
        ({"units": "²"}, "de 1 à 1000"),
        ({"units": "10", "price": "€" * 101}, "en 100 signes au plus"),
        ({"units": "10", "last": "23/11/2026"}, "pas avant aujourd’hui"),
        ({"units": "10", "first": "2/1/2027", "last": "1/1/2027"}, "ni avant le premier"),
        ({"units": "10", "first": "demain"}, "Écrivez le premier jour ainsi"),
    ],
)
def test_a_sale_that_cannot_be_is_said_beside_its_field(place: Place, sale: dict[str, str], said: str) -> None:
    status, text = post(place, "/members/zoe/carnets", place.staff(), **sale)
    assert (status, said in text.replace("\N{NO-BREAK SPACE}", " ")) == (400, True)
    assert entries(place) == []


def test_all_that_is_wrong_with_a_sale_is_said_at_once(place: Place) -> None:
    status, text = post(place, "/members/zoe/carnets", place.staff(), units="quinze", last="fin juin")
    assert status == 400
    assert "de 1 à 1000" in text
    assert "Écrivez le dernier jour ainsi" in text


def test_who_needs_no_carnet_is_sold_none(place: Place) -> None:
    status, _ = post(place, "/members/remy/carnets", place.staff(), units="10")
    assert (status, entries(place)) == (400, [])


def test_given_back_the_half_day_stays_paid_and_costs_nothing(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    client = place.staff()
    assert post(place, BACK, client, unit=AM, why=" ")[0] == 400
    assert door_left(place) == 12
    status, page = post(place, BACK, client, unit=AM, why="passée 2 minutes prendre un colis")
    assert (status, "Rendu : le carnet a une unité de plus." in page) == (303, True)
    assert "rendue le mar. 24 nov. par equipe : passée 2 minutes prendre un colis" in page
    assert "<s>mar.\N{NO-BREAK SPACE}24\N{NO-BREAK SPACE}nov., matin</s>" in client.get("/members/zoe").text
    assert door_left(place) == lines_left(place) == 13
    assert entries(place) == [("given_back", 1, AM, STAFF, "passée 2 minutes prendre un colis")]
    zoe_pays(place, at(10), AM)
    assert door_left(place) == 13
    zoe_pays(place, at(14), PM)
    assert door_left(place) == lines_left(place) == 12


def test_given_back_twice_or_never_paid_is_refused(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    client = place.staff()
    assert post(place, BACK, client, unit=AM, why="colis")[0] == 303
    for unit in (AM, PM, "2026-11-20", "x"):
        status, text = post(place, BACK, client, unit=unit, why="colis")
        assert (status, "pas, ou plus, sur un de ses carnets" in text) == (409, True)
    assert door_left(place) == 13


def test_what_was_given_back_is_counted_again_by_one_press(place: Place) -> None:
    zoe_pays(place, at(9), AM)
    client = place.staff()
    assert post(place, BACK, client, unit="2026-11-20am", why="erreur")[0] == 303
    assert post(place, BACK, client, unit=AM, why="colis")[0] == 303
    assert door_left(place) == lines_left(place) == 14
    assert post(place, AGAIN, client, unit=AM)[0] == 303
    assert post(place, AGAIN, client, unit=AM)[0] == 409
    assert door_left(place) == lines_left(place) == 13


def test_what_is_left_is_moved_to_a_new_carnet(place: Place) -> None:
    bundle = small_bundle()
    ended = replace(bundle.passes[0], valid_until=date(2026, 11, 23))
    with place.database.transaction() as session:
        import_bundle(session, replace(bundle, passes=(ended,)), DECIDED)
    place.publish()
    assert door_left(place) == lines_left(place) == 0
    client, moved = place.staff(), "/members/zoe/carnets/moved"
    assert post(place, moved, client, carnet="c1", last="23/11/2026")[0] == 400
    status, page = post(place, moved, client, carnet="c1", last="31/12/2026")
    assert (status, "Reporté sur un nouveau carnet." in page) == (303, True)
    assert "13 demi-journées sur un nouveau carnet, le mar. 24 nov. par equipe" in page
    assert "13 demi-journées d’un autre carnet" in page
    assert door_left(place) == lines_left(place) == 13
    assert post(place, moved, client, carnet="c1", last="31/12/2026")[0] == 409


def test_a_half_day_that_no_badge_paid_is_paid_at_the_desk(place: Place) -> None:
    decided = Decided(STAFF, at(19), "badge oublié")
    with place.database.transaction() as session:
        assert carnets.pay(session, decided, "zoe", PM) == Done("zoe")
        assert carnets.pay(session, decided, "zoe", PM) == Done("zoe")
        assert carnets.pay(session, decided, "zoe", "2026-11-31am") == Wrong(("unit",))
        with pytest.raises(ChangeRefusedError) as refused:
            carnets.pay(session, decided, "nobody", PM)
    assert refused.value.why is Refused.MEMBER_UNKNOWN
    assert door_left(place) == lines_left(place) == 12
    assert entries(place) == [("paid", -1, PM, STAFF, "badge oublié")]
    assert "notée par equipe : badge oublié" in place.page("/members/zoe", place.staff()).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_the_entry_that_paid_is_known_as_long_as_the_journal_has_it(place: Place) -> None:
    zoe_pays(place, at(9, 40), AM)
    zoe_pays(place, at(10), AM)
    with place.database.reading() as session:
        account = with_taps(session, place.publisher.current, account_of(session, "zoe"), "zoe")
        assert [(one.name, one.before, one.tap) for one in account.stamps(account.carnets[0])][1:] == [
            ("2026-11-20pm", True, None),
            (AM, False, at(9, 40)),
        ]


def test_a_carnet_of_a_million_is_not_drawn_box_by_box(place: Place) -> None:
    bundle = small_bundle()
    with place.database.transaction() as session:
        many = Pass(id="c1", member="zoe", unit="half_day", total=1_000_000)
        import_bundle(session, replace(bundle, passes=(many,)), DECIDED)
    place.publish()
    text = place.staff().get("/members/zoe").text
    assert text.count('<li class="left"') == 60
    assert "999940 cases plus anciennes" in text.replace("\N{NO-BREAK SPACE}", " ")


UNITS = [(TODAY + timedelta(day)).isoformat() + half for day in range(-3, 6) for half in ("am", "pm")]
STEPS = st.one_of(
    st.tuples(st.just("sell"), st.integers(1, 3), st.one_of(st.none(), st.integers(0, 5)), st.integers(0, 3)),
    st.tuples(st.just("tap"), st.sampled_from(UNITS)),
    st.tuples(st.just("back"), st.sampled_from(UNITS)),
    st.tuples(st.just("again"), st.sampled_from(UNITS)),
    st.tuples(st.just("pay"), st.sampled_from(UNITS)),
    st.tuples(st.just("move"), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 5))),
)


def test_a_form_sent_twice_sells_one_carnet_and_adds_one_member(place: Place) -> None:
    client = place.staff()
    sale = {"units": "10", "token": token_on(client.get("/members/zoe").text)}
    new = {"name": "Odile Prévost", "tier": "nomad", "token": token_on(client.get("/new-member").text)}
    before = len(place.publisher.current.bundle.passes), len(place.publisher.current.bundle.members)
    for _ in range(2):
        assert post(place, "/members/zoe/carnets", client, **sale)[0] == 303
        assert post(place, "/new-member", client, **new)[0] == 303
    after = len(place.publisher.current.bundle.passes), len(place.publisher.current.bundle.members)
    assert after == (before[0] + 1, before[1] + 1)


def token_on(html: str) -> str:
    return html.partition('name="token" value="')[2][:12]


def test_two_carnets_are_drawn_and_the_others_wait_behind_a_press(place: Place) -> None:
    client = place.staff()
    for month in (1, 2, 3):
        post(place, "/members/zoe/carnets", client, units="10", first=f"01/0{month}/2027", last=f"20/0{month}/2027")
    page = client.get("/members/zoe").text
    drawn, _, others = page.partition("autres carnets</summary>")
    assert others
    assert (drawn.count('class="punch"'), others.count('class="punch"')) == (2, 2)


def story_site() -> Bundle:
    """Zoé may come in at any hour, as long as she can pay."""
    bundle = small_bundle()
    zoe = Credential(uid=UID.hex().upper(), member="zoe")
    return replace(
        bundle,
        tiers=tuple(replace(one, grounds=(Ground.ALWAYS,)) if one.id == "carnet" else one for one in bundle.tiers),
        members=tuple(replace(one, status="active") if one.id == "zoe" else one for one in bundle.members),
        credentials=(*bundle.credentials, zoe),
        passes=(),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
def test_the_sum_of_all_lines_is_what_the_door_thinks_is_left(place: Place, story: list[tuple[Any, ...]]) -> None:
    """Whatever is sold, paid, given back and moved, on each of the days that follow; and the door refuses at 0."""
    with place.database.transaction() as session:
        for table in (CarnetEntry, PaidUnit):
            session.connection().execute(delete(table))
        import_bundle(session, story_site(), DECIDED)
    for step in story:
        with place.database.transaction() as session, suppress(ChangeRefusedError):
            do(session, *step)
    place.publish()
    rules = place.publisher.current.rules
    for day in range(7):
        when = at(10) + day * DAY
        with place.database.reading() as session:
            state = state_at(session, when)
        counted = lines_left(place, when)
        assert counted == left(rules, state, "zoe", when)
        decision = decide(rules, state, Tap("front-in", pseudonym(CREDENTIAL_KEY, UID)), when)
        paid = is_paid(rules, state, "zoe", unit_now(rules, "zoe", when) or "")
        assert (decision.reason is Reason.PASS_EXHAUSTED) == (counted == 0 and not paid)


def do(session: Session, what: str, first: Any, second: Any = None, third: Any = None) -> None:
    """One step of a story."""
    decided = Decided(STAFF, at(19), "histoire")

    def day(ahead: int | None) -> date | None:
        return None if ahead is None else TODAY + timedelta(ahead)

    match what:
        case "sell":
            carnets.sell(session, decided, "zoe", Sale(first, "", day(third), day(second)), TODAY)
        case "tap":
            store(session, [Paid("zoe", first)], ToldBy("front", moment(at(19))))
        case "back":
            carnets.give_back(session, decided, "zoe", first)
        case "again":
            carnets.charge_again(session, decided, "zoe", first)
        case "pay":
            carnets.pay(session, decided, "zoe", first)
        case "move":
            held = account_of(session, "zoe").carnets
            carnets.move(session, decided, "zoe", held[first % len(held)].held.id if held else "", day(second), TODAY)


@pytest.mark.parametrize(
    ("total", "last", "said"),
    [
        (5, None, "Bientôt fini : il reste 3 demi-journées."),
        (4, None, ""),
        (3, date(2026, 12, 7), "Bientôt fini : il reste 1 demi-journée et valable jusqu’au lun. 7 déc."),
        (9, date(2026, 12, 7), "Bientôt fini : valable jusqu’au lun. 7 déc."),
        (9, date(2026, 12, 8), ""),
    ],
)
def test_what_the_lamp_says_the_page_says_in_words(place: Place, total: int, last: date | None, said: str) -> None:
    bundle = small_bundle()
    with place.database.transaction() as session:
        held = replace(bundle.passes[0], total=total, valid_until=last)
        import_bundle(session, replace(bundle, passes=(held,)), DECIDED)
    place.publish()
    page = place.page("/members/zoe", place.staff()).replace("\N{NO-BREAK SPACE}", " ")
    assert said in page
    assert bool(said) == ("Bientôt fini" in page)


@pytest.mark.parametrize(
    ("total", "last", "first", "said"),
    [
        (9, date(2026, 12, 7), date(2026, 12, 8), False),
        (9, date(2026, 12, 7), date(2026, 12, 9), True),
        (5, None, date(2026, 11, 25), False),
        (5, None, date(2026, 11, 26), True),
    ],
)
def test_the_page_does_not_say_that_a_carnet_is_nearly_over_where_another_follows(
    place: Place, total: int, last: date | None, first: date, said: bool
) -> None:
    bundle = small_bundle()
    held = replace(bundle.passes[0], total=total, valid_until=last)
    follows = Pass(id="next", member="zoe", unit="half_day", total=9, valid_from=first)
    with place.database.transaction() as session:
        import_bundle(session, replace(bundle, passes=(held, follows)), DECIDED)
    place.publish()
    assert ("Bientôt fini" in place.page("/members/zoe", place.staff())) is said


def test_a_unit_of_before_is_charged_again_to_whichever_carnet_can_pay_it(place: Place) -> None:
    """What its own carnet had left was moved: it costs a unit all the same, or the desk is told."""
    client, unit = place.staff(), "2026-11-20am"
    assert post(place, BACK, client, unit=unit, why="erreur")[0] == 303
    assert post(place, "/members/zoe/carnets/moved", client, carnet="c1", last="28/02/2027")[0] == 303
    assert door_left(place) == lines_left(place) == 14
    assert post(place, AGAIN, client, unit=unit)[0] == 303
    assert door_left(place) == lines_left(place) == 13
    assert post(place, AGAIN, client, unit=unit)[0] == 409


def test_nothing_is_charged_again_that_no_carnet_has_left(place: Place) -> None:
    client, unit = place.staff(), "2026-11-20am"
    held = replace(small_bundle().passes[0], total=1, used=(unit,))
    with place.database.transaction() as session:
        import_bundle(session, replace(small_bundle(), passes=(held,)), DECIDED)
    place.publish()
    assert post(place, BACK, client, unit=unit, why="erreur")[0] == 303
    assert post(place, "/members/zoe/carnets/moved", client, carnet="c1", last="28/02/2027")[0] == 303
    with place.database.transaction() as session:
        bundle = replace(place.publisher.current.bundle, passes=place.publisher.current.bundle.passes[:1])
        import_bundle(session, bundle, DECIDED)
    place.publish()
    status, text = post(place, AGAIN, client, unit=unit)
    assert (status, "Vendez-en d’abord un." in text) == (409, True)
    assert door_left(place) == 0
