"""The rota as people press it: taken, given back, offered, undone; who was faster, what is in doubt, who is told."""

import re
from datetime import date

import pytest
from msgspec.structs import replace
from sqlmodel import col, select

from policy.instants import instant, text
from policy.opening import Degree
from policy.reasons import Reason
from policy.terms import HOUR, MINUTE
from server.audit import Decided
from server.changes import rota as changes
from server.changes.bundle import put
from server.changes.rota import Busy, HeldBy, Turned
from server.database.engine import Database
from server.errors import ChangeRefusedError, Refused
from server.models import AuditRow, RotaOffer
from server.publish.bundle import export
from server.queries.rota import turns
from server.text.doors import LEARNS, doors
from tests.support_pages import EVENING, Place
from tests.support_rota import (
    FRIDAY,
    GAP,
    SINGLE,
    degree_at,
    holder_at,
    mails,
    plain,
    press,
    rota_bundle,
    rota_place,
    with_mail,
)
from tests.support_server import DECIDED

BY = Decided("tarek.compte", EVENING)
FRIDAY_AT_18 = instant("2026-11-27T18:00:00+01:00")


@pytest.fixture
def place(database: Database) -> Place:
    return rota_place(database)


def test_of_two_who_take_one_gap_the_first_has_it_and_the_second_is_told_who(place: Place) -> None:
    tarek, odile = place.member("tarek"), place.member("odile")
    assert "sans gardien" in plain(place.page("/gardiens", tarek))
    status, page = press(place, tarek, "take", GAP)
    assert (status, "Jeu. 3 déc., 18 h – 22 h : la garde est à vous." in page) == (303, True)
    assert (holder_at(place, GAP), degree_at(place, instant("2026-12-03T19:00:00+01:00"))) == ("tarek", Degree.PROBABLE)
    status, page = press(place, odile, "take", GAP)
    assert (status, holder_at(place, GAP)) == (409, "tarek")
    assert "Tarek B. vient de prendre la garde du jeu. 3 déc., 18 h – 22 h." in page
    with place.database.reading() as session:
        row = session.exec(select(AuditRow).where(AuditRow.noun == "rota_change")).one()
        assert (row.account, row.did, row.subject) == ("tarek.compte", "added", "jeudi/2026-12-03")


def test_a_taken_gap_is_in_the_rules_at_once_and_undone_in_one_press(place: Place) -> None:
    before = place.publisher.current
    press(place, place.member("tarek"), "take", GAP)
    taken = place.publisher.current
    assert taken.version > before.version
    lead = instant("2026-12-03T17:30:00+01:00")
    assert (lead in taken.rules.shifts["tarek"], lead in before.rules.shifts["tarek"]) == (True, False)
    status, page = press(place, place.member("tarek"), "undo", GAP)
    assert (status, holder_at(place, GAP)) == (303, None)
    assert "annulé, c’est comme avant" in page
    assert place.publisher.current.rules.shifts == before.rules.shifts


def test_given_back_early_it_is_a_gap_late_it_stays_until_somebody_takes_it(place: Place) -> None:
    tarek, odile = place.member("tarek"), place.member("odile")
    with_mail(place, "gregoire")
    asked = tarek.get(f"/gardiens/give-back?turn={FRIDAY}")
    assert "La soirée redevient sans gardien." in place.words(asked)
    status, _ = press(place, tarek, "give-back", FRIDAY)
    assert (status, holder_at(place, FRIDAY), degree_at(place, FRIDAY_AT_18)) == (303, None, Degree.NOBODY)
    assert mails(place) == [("gregoire@exemple.org", "Soirée sans gardien : ven. 27 nov., 18 h – 22 h")]
    press(place, tarek, "keep", FRIDAY)
    place.now = FRIDAY_AT_18 - MINUTE
    assert "reste à vous tant que personne" in plain(place.words(tarek.get(f"/gardiens/give-back?turn={FRIDAY}")))
    assert (press(place, tarek, "give-back", FRIDAY)[0], holder_at(place, FRIDAY)) == (303, "tarek")
    assert degree_at(place, FRIDAY_AT_18 + MINUTE) is Degree.UNCERTAIN
    assert "à reprendre" in plain(place.page("/gardiens", odile))
    press(place, tarek, "give-back", FRIDAY)
    assert len(mails(place)) == 2
    assert (press(place, odile, "take", FRIDAY)[0], holder_at(place, FRIDAY)) == (303, "odile")
    assert degree_at(place, FRIDAY_AT_18 + MINUTE) is Degree.PROBABLE


def test_an_offered_shift_stays_its_gardiens_and_is_in_doubt_until_taken_or_kept(place: Place) -> None:
    tarek, odile = place.member("tarek"), place.member("odile")
    with_mail(place, "gregoire")
    press(place, tarek, "offer", FRIDAY)
    assert (holder_at(place, FRIDAY), degree_at(place, FRIDAY_AT_18)) == ("tarek", Degree.UNCERTAIN)
    assert "Tarek B. la propose" in plain(place.page("/gardiens", odile))
    seen = plain(place.page("/gardiens", place.member("brigitte")))
    assert "1 garde à reprendre" in seen
    assert (seen.count("soirée sans gardien"), seen.count("soirées sans gardien")) in ((1, 0), (0, 1)), "told once"
    place.now = FRIDAY_AT_18 - HOUR // 2
    assert "cherche quelqu’un à sa place" in plain(place.page("/"))
    place.now = EVENING
    press(place, tarek, "keep", FRIDAY)
    assert degree_at(place, FRIDAY_AT_18) is Degree.PROBABLE
    assert press(place, odile, "take", FRIDAY)[0] == 409
    press(place, tarek, "offer", FRIDAY)
    press(place, odile, "take", FRIDAY)
    with place.database.reading() as session:
        assert [(one.kind, one.outcome) for one in session.exec(select(RotaOffer).order_by(col(RotaOffer.id)))] == [
            ("offered", "withdrawn"),
            ("offered", "taken"),
            ("taken", "over"),
        ]
    assert press(place, odile, "undo", FRIDAY)[0] == 303
    assert (holder_at(place, FRIDAY), degree_at(place, FRIDAY_AT_18)) == ("tarek", Degree.UNCERTAIN)


def test_an_undo_gives_nobody_a_second_evening_at_one_time(place: Place) -> None:
    """Tarek offered Friday and took another one of that evening meanwhile."""
    tarek, odile = place.member("tarek"), place.member("odile")
    with place.database.transaction() as session:
        put(session, [replace(rota_bundle().rota[1], id="double", weekday="fri", gardien=None)], DECIDED)
    place.publish()
    press(place, tarek, "offer", FRIDAY)
    press(place, odile, "take", FRIDAY)
    assert press(place, tarek, "take", "slot:double/2026-11-27")[0] == 303
    assert press(place, odile, "undo", FRIDAY)[0] == 409
    assert holder_at(place, FRIDAY) == "odile"


def test_a_single_shift_is_handed_on_like_one_of_the_rota(place: Place) -> None:
    odile, tarek = place.member("odile"), place.member("tarek")
    press(place, odile, "give-back", SINGLE)
    assert holder_at(place, SINGLE) == "odile"
    assert press(place, tarek, "take", SINGLE)[0] == 303
    assert holder_at(place, SINGLE) == "tarek"


def test_nobody_holds_two_at_one_time_and_nobody_gives_away_what_is_anothers(place: Place) -> None:
    with place.database.transaction() as session:
        put(session, [replace(rota_bundle().rota[1], id="double", weekday="fri", start="21:00", end="23:00")], DECIDED)
    place.publish()
    tarek = place.member("tarek")
    status, page = press(place, tarek, "take", "slot:double/2026-11-27")
    assert (status, "la garde du ven. 27 nov., 18 h – 22 h est au même moment" in page) == (409, True)
    for what in ("offer", "give-back"):
        status, page = press(place, tarek, what, "slot:mercredi/2026-12-02", who="odile")
        assert (status, "n’est pas, ou plus, à cette personne" in page) == (409, True)
    status, page = press(place, place.member("brigitte"), "take", GAP)
    assert (status, holder_at(place, GAP)) == (403, None)
    for key in (
        "slot:jeudi/2026-12-04",
        "slot:nie/2026-12-03",
        "shift:nie",
        "slot:jeudi/heute",
        "",
        "slot:jeudi/0001-01-01",
    ):
        assert press(place, tarek, "take", key)[0] == 409


def test_the_team_does_it_for_anyone_and_whoever_it_concerns_is_told(place: Place) -> None:
    with_mail(place, "odile", "gregoire")
    desk = place.staff()
    status, page = press(place, desk, "take", GAP, who="odile")
    assert (status, "la garde est à Odile M." in page, holder_at(place, GAP)) == (303, True, "odile")
    press(place, desk, "give-back", "slot:mercredi/2026-12-02", who="odile")
    assert holder_at(place, "slot:mercredi/2026-12-02") is None
    assert press(place, desk, "take", FRIDAY, who="brigitte")[0] == 409
    assert mails(place) == [
        ("odile@exemple.org", "Une garde pour vous : jeu. 3 déc., 18 h – 22 h"),
        ("gregoire@exemple.org", "Soirée sans gardien : mer. 2 déc., 18 h – 22 h"),
    ]


def test_a_suspended_gardiens_evening_may_be_taken(place: Place) -> None:
    suspended = replace(next(one for one in rota_bundle().members if one.id == "tarek"), status="suspended")
    with place.database.transaction() as session:
        put(session, [suspended], DECIDED)
    place.publish()
    odile = place.member("odile")
    assert "Tarek B. ne peut pas la tenir" in plain(place.page("/gardiens", odile))
    assert press(place, odile, "take", FRIDAY)[0] == 303
    assert holder_at(place, FRIDAY) == "odile"


def test_who_opened_without_a_shift_reads_until_when_they_hold_the_place(place: Place) -> None:
    tarek = place.member("tarek")
    assert "Votre prochaine garde" in plain(place.page("/gardiens", tarek))
    place.now = instant("2026-11-24T23:00:00+01:00")
    made = replace(
        place.journal.tap_in(place.now, "tarek", Reason.OWN_SHIFT), pending=False, adhoc_until=text(place.now + HOUR)
    )
    place.journal.rows[-1] = made
    place.tell()
    page = plain(place.page("/gardiens", tarek))
    assert "Ouverture sans garde Vous tenez le lieu jusqu’à 0 h Votre prochaine garde : ven. 27 nov." in page


def test_a_later_fortnight_has_no_evening_of_the_day_before_its_first(place: Place) -> None:
    """Else the gap of Thursday would be taken under Friday's name."""
    tarek = place.member("tarek")
    turns_on = re.findall(r'name="turn" value="([^"]+)"', tarek.get("/gardiens?from=2026-12-04").text)
    assert "slot:jeudi/2026-12-10" in turns_on
    assert GAP not in turns_on
    place.now = instant("2026-12-04T00:30:00+01:00")
    late = replace(rota_bundle().rota[1], start="22:00", end="02:00")
    with place.database.transaction() as session:
        put(session, [late], DECIDED)
    place.publisher.publish()
    assert GAP in tarek.get("/gardiens").text, "what runs since the day before stands with today"


def test_members_see_the_list_without_presses_and_the_public_none(place: Place) -> None:
    page = plain(place.member("brigitte").get("/gardiens").text)
    assert "Tarek B." in page
    assert "<form" not in page.partition('<main id="main">')[2]
    assert "Je la prends" in place.member("tarek").get("/gardiens").text
    assert place.client.get("/gardiens").status_code == 303
    assert 'href="/gardiens"' in place.member("tarek").get("/").text
    assert 'href="/gardiens"' in place.staff().get("/").text


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 27), 7), (date(2026, 10, 24), 9)])
def test_an_evening_across_the_change_of_the_clocks_and_the_cutoff_is_one(place: Place, day: date, hours: int) -> None:
    night = replace(rota_bundle().rota[1], id="nuit", weekday="sat", start="22:00", end="06:00", gardien="odile")
    with place.database.transaction() as session:
        put(session, [night], DECIDED)
    place.now = instant(f"{day}T12:00:00+02:00")
    place.publish()
    with place.database.transaction() as session:
        outcome = changes.offer(session, BY._replace(at=place.now), f"slot:nuit/{day}", "odile")
    assert (outcome.now.end - outcome.now.start) == hours * HOUR
    assert degree_at(place, outcome.now.start) is Degree.UNCERTAIN
    assert degree_at(place, outcome.now.end - MINUTE) is Degree.UNCERTAIN
    place.now = outcome.now.end
    with place.database.transaction() as session, pytest.raises(ChangeRefusedError) as refused:
        changes.take(session, BY._replace(at=place.now), f"slot:nuit/{day}", "tarek")
    assert refused.value.why is Refused.TURN_OVER


def test_outcomes_are_values(place: Place) -> None:
    with place.database.transaction() as session:
        assert isinstance(changes.take(session, BY, GAP, "tarek"), Turned)
        assert isinstance(changes.take(session, BY, GAP, "odile"), HeldBy)
        assert isinstance(changes.take(session, BY, GAP, "tarek"), Turned)
        extra = replace(rota_bundle().rota[1], id="aussi")
        put(session, [extra], DECIDED)
        assert isinstance(changes.take(session, BY, "slot:aussi/2026-12-03", "tarek"), Busy)
        bundle = export(session)
    assert bundle is not None
    assert len(turns(bundle, date(2026, 12, 3), date(2026, 12, 3))) == 2


def test_a_door_that_learns_it_this_very_second_is_no_news(place: Place) -> None:
    place.speak()
    tarek = place.member("tarek")
    press(place, tarek, "take", GAP)
    done = f"/gardiens?done=taken&turn={GAP}&who=tarek&rules={place.publisher.current.version}"
    page = place.page(done, tarek)
    assert "porte sur" not in page
    assert "Les portes l’apprennent." in page
    with place.database.reading() as session:
        current = place.publisher.current
        late = doors(session, current, str(current.version), current.at + LEARNS)
        assert late is not None
        assert (late.waiting, late.words.startswith("0 porte sur 2 le sait")) == (True, True)


def test_given_by_the_team_to_whoever_has_it_the_shift_stays_theirs_and_is_offered_no_more(place: Place) -> None:
    press(place, place.member("tarek"), "offer", FRIDAY)
    assert degree_at(place, FRIDAY_AT_18) is Degree.UNCERTAIN
    assert press(place, place.staff(), "take", FRIDAY, gardien="tarek")[0] == 303
    assert (holder_at(place, FRIDAY), degree_at(place, FRIDAY_AT_18)) == ("tarek", Degree.PROBABLE)


def test_the_menu_calls_the_page_what_its_title_does(place: Place) -> None:
    html = place.member("tarek").get("/gardiens").text
    assert re.findall(r'<a [^>]*href="/gardiens"[^>]*>\s*([^<]+?)\s*<', html)[:1] == ["Gardiens"]


def test_whoever_keeps_what_was_a_gap_by_now_is_told_like_by_taking(place: Place) -> None:
    """The team keeps it for Tarek, who gave it back: he hears of it, and so does whoever else had it meanwhile."""
    with_mail(place, "tarek")
    tarek = place.member_at("tarek@exemple.org")
    press(place, tarek, "give-back", FRIDAY)
    assert press(place, place.staff(), "keep", FRIDAY, who="tarek")[0] == 303
    assert holder_at(place, FRIDAY) == "tarek"
    assert mails(place) == [("tarek@exemple.org", "Une garde pour vous : ven. 27 nov., 18 h – 22 h")]


def test_an_offer_that_an_undo_opens_again_stands_in_the_audit(place: Place) -> None:
    odile = place.member("odile")
    press(place, place.member("tarek"), "offer", FRIDAY)
    press(place, odile, "take", FRIDAY)
    press(place, odile, "undo", FRIDAY)
    with place.database.reading() as session:
        row = session.exec(
            select(AuditRow).where(AuditRow.noun == "rota_offers").order_by(col(AuditRow.id).desc())
        ).first()
        assert row is not None
        assert (row.account, row.did, (row.after or {})["member"]) == ("odile.compte", "reopened", "tarek")


def test_the_team_gives_it_to_a_gardien_whom_it_chooses(place: Place) -> None:
    """Chosen from a list that is sorted as it is read, nothing is typed; whoever is no gardien is refused."""
    staff = place.staff()
    page = staff.get("/gardiens").text
    choice = re.search(rf'<select id="who-{re.escape(GAP)}" name="gardien" required>(.*?)</select>', page)
    assert choice is not None
    names = re.findall(r'<option value="([^"]+)">([^<]+)</option>', choice[1])
    assert [name for _, name in names] == ["Grégoire Vasseur", "Odile Marchetti", "Tarek Benali"]
    for wrong in ("", "nobody", "alice"):
        assert press(place, staff, "take", GAP, gardien=wrong)[0] == 400
    assert press(place, place.member("tarek"), "take", GAP, gardien="odile")[0] == 400
    assert holder_at(place, GAP) is None
    assert press(place, staff, "take", GAP, gardien=names[1][0])[0] == 303
    assert holder_at(place, GAP) == "odile"
