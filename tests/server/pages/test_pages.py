"""What people see: the answer first, names only for those who are logged in, in French or English."""

import sqlite3
from html import unescape
from itertools import islice

import pytest
from msgspec.structs import replace as replace_parts
from sqlalchemy import event, insert

from policy.bundle import Role, Shift
from policy.instants import instant
from policy.reasons import Reason
from policy.terms import DAY, HOUR, ClockState
from server.audit import Decided
from server.changes.bundle import import_bundle
from server.changes.lockdown import set_lockdown
from server.database.types import moment
from server.models import Edge, JournalRow, MachineSession
from server.pages.today import SHOWN_ARRIVALS
from tests.support_accounts import account_of
from tests.support_pages import Place, broken, plain
from tests.support_server import DECIDED, small_bundle, whole_bundle
from tests.support_site import at
from wire.messages import Status
from wire.row import Kind

pytestmark = pytest.mark.sqlite

NB = "\N{NO-BREAK SPACE}"
PUBLIC = ("/", "/today", "/login", "/health", "/api/v1/now", "/?lang=en", "/today?lang=en", "/nothing")


def secrets_of_people() -> list[str]:
    """Every word that tells who somebody is."""
    bundle = small_bundle()
    return [
        *(word for member in bundle.members for word in member.name.split()),
        *(member.id for member in bundle.members),
        *(credential.uid for credential in bundle.credentials),
    ]


# Who sees names


@pytest.mark.parametrize("path", PUBLIC)
def test_no_name_without_a_login(place: Place, path: str) -> None:
    said = place.client.get(path).text
    for secret in secrets_of_people():
        assert secret.lower() not in said.lower()


@pytest.mark.parametrize(("path", "name"), [("/", f"Grégoire{NB}V."), ("/today", f"Brigitte{NB}O.")])
def test_names_with_a_login(place: Place, path: str, name: str) -> None:
    assert name in place.staff().get(path).text


def test_full_names_stay_out_of_the_pages(place: Place) -> None:
    client = place.staff()
    for path in ("/", "/today"):
        assert not [m.name for m in small_bundle().members if m.name in client.get(path).text]


# What every answer carries


@pytest.mark.parametrize("path", [*PUBLIC, "/static/loquet.css", "/live"])
def test_headers(place: Place, path: str) -> None:
    with place.client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    if not path.startswith("/static"):
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/today", "/login", "/nothing"])
def test_nothing_inline_and_nothing_from_elsewhere(place: Place, path: str) -> None:
    text = place.staff().get(path).text
    assert " style=" not in text
    assert "<script>" not in text
    assert " onclick=" not in text
    assert "//" not in text.replace("http://www.w3.org", "")


def test_scripts_and_styles_are_there(place: Place) -> None:
    text = place.client.get("/").text
    for path in {part.split('"')[0] for part in text.split('"/static/')[1:]}:
        with place.client.get(f"/static/{path}") as answer:
            assert answer.status_code == 200


# The front page


def test_open_until_when_and_by_whom(place: Place) -> None:
    said = place.page("/", place.staff())
    assert f"Ouvert jusqu’à 22{NB}h".replace(NB, " ") in said
    assert "Grégoire V. tient le lieu." in said
    assert "3 personnes dans les murs, sur 100" in said


def test_a_lockdown_is_said_before_all_else(place: Place) -> None:
    with place.database.transaction() as session:
        set_lockdown(session, True, Decided("equipe", at(19, 2)))
    for said, team in ((place.page("/", place.staff()), True), (place.page(), False)):
        assert "Lieu confiné" in said
        assert "Depuis 19 h 02 : seule l’équipe entre, tout le monde peut sortir." in said
        assert ("Contactez l’équipe." in said) is not team, "the team is not told to call the team"
        assert "Ouvert" not in said
    assert "Lockdown" in plain(place.client.get("/", headers={"Accept-Language": "en"}).text)


def test_a_lifted_lockdown_is_not_known_to_be_over_while_a_door_is_cut_off(place: Place) -> None:
    place.speak()
    for hour, on in ((at(19, 13), True), (at(19, 20), False)):
        place.desk.say(Status(hour == at(19, 13)))
        with place.database.transaction() as session:
            set_lockdown(session, on, Decided("equipe", hour))
    place.now = at(19, 21)
    said = place.page().replace("\N{NO-BREAK SPACE}", " ")
    assert "Confinement levé à 19 h 20, pas encore sûr" in said
    assert "Une porte ne répond plus, et ne sait peut-être pas que c’est fini" in said
    assert "Ouvert" not in said
    assert place.client.get("/api/v1/now").get_json()["heard"] is not None
    assert "Confinement levé à 19 h 20" in place.page("/me", place.member("remy")).replace("\N{NO-BREAK SPACE}", " ")
    place.speak()
    assert "Ouvert jusqu’à 22 h" in place.page().replace("\N{NO-BREAK SPACE}", " ")


def test_the_public_learns_that_a_gardien_is_there(place: Place) -> None:
    said = place.page()
    assert "Ouvert jusqu’à 22 h" in said
    assert "Un gardien tient le lieu." in said
    assert "3 personnes dans les murs, sur 100" in said


def test_fewer_than_three_are_not_told_to_everybody(place: Place) -> None:
    place.journal.leaves(at(19, 10), "remy")
    place.tell()
    assert "moins de 3 personnes dans les murs" in place.page()
    assert "2 personnes dans les murs" in place.page("/", place.staff())


@pytest.mark.parametrize(
    ("when", "headline", "more"),
    [
        (at(8, 30), "Fermé", "L’équipe ouvre à 9 h."),
        (at(23), "Fermé", "L’équipe ouvre demain à 9 h."),
        (
            at(12) + 2 * DAY,
            "Ouvert, probablement jusqu’à 20 h",
            "Sûr jusqu’à 18 h, probable ensuite : un gardien de 18 h à 20 h.",
        ),
        (at(20) + 3 * DAY, "Fermé", "L’équipe ouvre demain à 10 h."),
        (at(20) + 4 * DAY, "Fermé", "L’équipe ouvre lun. 30 nov. à 9 h."),
        (at(18, 20) + 2 * DAY, "Pas sûr pour l’instant", "Garde prévue jusqu’à 20 h : le gardien n’est pas là."),
    ],
)
def test_the_answer_at_other_times(place: Place, when: int, headline: str, more: str) -> None:
    place.now = when
    place.speak()
    place.publisher.publish()
    said = place.page()
    assert f"{headline} " in said
    assert more in said


def with_shifts(place: Place, *shifts: tuple[str, str, str]) -> None:
    """Gardien, start and end of every shift that is planned; all members but the team's are gardiens."""
    small = small_bundle()
    gardiens = tuple(replace_parts(m, roles=(Role.GARDIEN,)) if m.tier != "team" else m for m in small.members)
    planned = tuple(Shift(f"s{number}", *shift) for number, shift in enumerate(shifts))
    with place.database.transaction() as session:
        import_bundle(session, replace_parts(small, members=gardiens, shifts=planned), DECIDED)
    place.publisher.publish()


def coming(place: Place, when: int) -> str:
    """What the front page says at an instant, to those who see names."""
    place.now = when
    place.speak()
    place.publisher.publish()
    return place.page("/", place.staff())


TONIGHT = ("gregoire", "2026-11-24T18:00", "2026-11-24T22:00")
TOMORROW = ("remy", "2026-11-25T18:00", "2026-11-25T20:00")
TEAM = "L’équipe rouvre demain à 9 h."
TAKES_OVER = "Rémy Q. prend le relais demain à 18 h ; ouvert probablement jusqu’à 20 h."


def test_at_the_end_of_the_evening_the_team_comes_before_the_gardien_of_tomorrow(place: Place) -> None:
    """At 22 h 03 "doit ouvrir le lieu demain à 18 h" would keep away whoever wants to come at 9 h."""
    with_shifts(place, TONIGHT, TOMORROW)
    said = coming(place, at(22, 3))
    assert f"Ouvert, pour quelques minutes encore Grégoire V. tient le lieu. {TEAM} {TAKES_OVER}" in said
    assert "doit ouvrir" not in said
    english = plain(place.staff().get("/?lang=en").text)
    assert (
        "The team opens again tomorrow at 09:00. Rémy Q. takes over tomorrow at 18:00; open probably until" in english
    )


@pytest.mark.parametrize(
    ("when", "shifts", "said", "unsaid"),
    [
        (
            at(8),
            (TONIGHT,),
            "L’équipe ouvre à 9 h. Grégoire V. prend le relais à 18 h ; ouvert probablement jusqu’à 22 h.",
            "",
        ),
        (
            at(8),
            (("remy", "2026-11-24T18:10", "2026-11-24T20:00"),),
            "L’équipe ouvre à 9 h. Rémy Q. prend le relais à 18 h 10 ; ouvert probablement jusqu’à 20 h.",
            "",
        ),
        (
            at(8),
            (("remy", "2026-11-24T19:00", "2026-11-24T20:00"),),
            "L’équipe ouvre à 9 h. Rémy Q. doit ouvrir le lieu à 19 h, probablement jusqu’à 20 h.",
            "relais",
        ),
        (at(8), (("remy", "2026-11-24T10:00", "2026-11-24T12:00"),), "L’équipe ouvre à 9 h.", "Rémy Q. "),
        (
            at(8),
            (("remy", "2026-11-24T10:00", "2026-11-24T12:00"), ("brigitte", "2026-11-24T16:00", "2026-11-24T20:00")),
            "L’équipe ouvre à 9 h. Brigitte O. prend le relais à 18 h ; ouvert probablement jusqu’à 20 h.",
            "",
        ),
        (
            at(18, 1),
            (("gregoire", "2026-11-24T18:05", "2026-11-24T20:00"),),
            "Grégoire V. doit ouvrir le lieu à 18 h 05, probablement jusqu’à 20 h. L’équipe ouvre demain à 9 h.",
            "relais",
        ),
        (at(10), (TOMORROW,), "L’équipe est là. L’équipe rouvre demain à 9 h.", "Rémy Q. prend"),
        (
            at(10),
            (("remy", "2026-11-24T14:00", "2026-11-24T16:00"), TONIGHT),
            "probable ensuite : Grégoire V. de 18 h à 22 h. L’équipe rouvre demain à 9 h.",
            "Rémy Q. doit",
        ),
        (at(20) + 3 * DAY, (), "Fermé L’équipe ouvre demain à 10 h.", ""),
    ],
    ids=[
        "team, then gardien",
        "team, then gardien within the grace",
        "team, gap, gardien",
        "all within the team's hours",
        "the second shift adds something",
        "gardien first, then the team",
        "open until tonight",
        "open, another takes over",
        "no shift",
    ],
)
def test_what_comes_next_is_told_in_its_order(
    place: Place, when: int, shifts: tuple[tuple[str, str, str], ...], said: str, unsaid: str
) -> None:
    place.journal.leaves(at(19, 11), "gregoire")
    place.tell()
    with_shifts(place, *shifts)
    page = coming(place, when).partition("Dans les murs")[0]
    assert said in page
    assert not unsaid or unsaid not in page


def test_a_gardien_who_comes_again_tomorrow_is_told(place: Place) -> None:
    with_shifts(place, TONIGHT, ("gregoire", "2026-11-25T18:00", "2026-11-25T20:00"))
    assert "Grégoire V. prend le relais demain à 18 h ; ouvert probablement jusqu’à 20 h." in coming(place, at(19, 12))


def test_before_the_team_a_planned_shift_is_told(place: Place) -> None:
    place.now = at(3) + 2 * DAY
    place.speak()
    assert "L’équipe ouvre à 9 h. Un gardien prend le relais à 18 h ; ouvert probablement jusqu’à 20 h." in place.page()
    place.now = at(17) + 25 * DAY + 6 * HOUR
    place.speak()
    assert "Fermé" in place.page()


def test_whoever_is_logged_in_reads_who_opens_next_by_name_and_the_public_does_not(place: Place) -> None:
    """As *Moi* and *Gardiens* have it for every member; a gardien reads of their own shift as theirs."""
    place.now = at(3) + 2 * DAY
    place.speak()
    with_shifts(place, ("gregoire", "2026-11-26T18:00", "2026-11-26T20:00"))
    others, own, public = (place.page("/", one) for one in (place.member("remy"), place.member("gregoire"), None))
    assert "Grégoire V. prend le relais à 18 h ; ouvert probablement jusqu’à 20 h." in others
    assert "Votre garde commence à 18 h ; le lieu est ouvert probablement jusqu’à 20 h." in own
    assert "Grégoire" not in public
    assert "Dans les murs" not in others, "who is inside stays with the team and whoever holds the place"


def test_the_headline_gives_the_end_of_the_whole_chain_and_how_sure_it_is(place: Place) -> None:
    """Grégoire is inside until 20 h and Brigitte is to follow. Zoé is suspended: her shift is a gap."""
    place.journal.leaves(at(19, 11), "brigitte")
    place.tell()
    gardiens = [replace_parts(m, roles=(Role.GARDIEN,)) if m.tier != "team" else m for m in small_bundle().members]
    hours = {"gregoire": ("18", "20"), "brigitte": ("20", "21"), "zoe": ("21", "22"), "remy": ("22", "23")}
    shifts = [Shift(w, w, f"2026-11-24T{a}:00", f"2026-11-24T{b}:00") for w, (a, b) in hours.items()]
    with place.database.transaction() as session:
        import_bundle(session, replace_parts(small_bundle(), members=tuple(gardiens), shifts=tuple(shifts)), DECIDED)
    place.publisher.publish()
    said, public = place.page("/", place.staff()), place.page()
    assert "Ouvert, probablement jusqu’à 21 h" in said
    assert "Sûr jusqu’à 20 h, probable ensuite : Brigitte O. de 20 h à 21 h." in said
    assert "Rémy Q. doit ouvrir le lieu à 22 h, probablement jusqu’à 23 h." not in said
    assert "Rémy Q. doit rouvrir le lieu à 22 h, probablement jusqu’à 23 h." in said
    assert "Sûr jusqu’à 20 h, probable ensuite : un gardien de 20 h à 21 h." in public
    place.journal.enters(at(19, 12), "brigitte")
    place.tell()
    assert "Ouvert jusqu’à 21 h" in place.page()


def test_round_the_clock_is_open_and_nothing_more(place: Place) -> None:
    small = small_bundle()
    always = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), (("00:00", "00:00"),))
    site = replace_parts(small.site, staff_hours=always, holidays=None, closures=(), openings=())
    with place.database.transaction() as session:
        import_bundle(session, replace_parts(small, site=site), DECIDED)
    place.publisher.publish()
    assert "<h1>Ouvert</h1>" in place.client.get("/").text
    answer = place.client.get("/api/v1/now").json
    assert answer is not None
    assert (answer["open"], answer["until"], answer["end"]) == (True, None, None)


def test_within_the_grace_the_end_is_near(place: Place) -> None:
    place.now = at(22, 5)
    place.speak()
    assert "Ouvert, pour quelques minutes encore" in place.page()


# When nobody says anything any more


def test_a_page_says_of_when_it_is_and_what_to_say_when_the_server_is_gone(place: Place) -> None:
    for path in ("/", "/today"):
        text = place.client.get(path).text
        assert "À 19 h 12" in plain(text)
        assert 'data-lost="Connexion perdue, dernière nouvelle à 19 h 12 (mar. 24 nov.)' in text.replace(NB, " ")
        assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in text


def test_a_door_that_has_said_nothing_for_two_minutes_is_no_sure_yes(place: Place) -> None:
    place.now = at(19, 14)
    assert "Ouvert jusqu’à 22 h" in place.page()
    place.now += 1
    for said in (place.page(), place.page("/", place.staff())):
        assert "D’après la dernière nouvelle de 19 h 12 : ouvert jusqu’à 22 h" in said
        assert "Une porte ne répond plus : regardez sa lampe." in said
        assert "Ouvert jusqu’à" not in said
    answer = place.client.get("/api/v1/now").json
    assert answer is not None
    assert answer["heard"] == "2026-11-24T18:12:00.000Z"
    place.speak()
    assert "Ouvert jusqu’à 22 h" in place.page()


def test_a_door_that_is_silent_since_another_day_says_so_and_is_no_sure_no_either(place: Place) -> None:
    place.now = at(8) + DAY
    place.publisher.publish()
    said = place.page()
    assert "D’après la dernière nouvelle, hier à 19 h 12 : fermé" in said


def test_only_doors_that_have_spoken_are_waited_for(place: Place) -> None:
    """The garage never did: it is being built. A machine's edge tells nothing of who is inside."""
    with place.database.transaction() as session:
        session.add(Edge(id="cnc", public_key="00" * 32, access_points=["cnc"], readers={}, last_seen=moment(at(9))))
    assert "Ouvert jusqu’à 22 h" in place.page()


def test_last_passages_say_why(place: Place) -> None:
    said = place.page("/", place.staff())
    assert "19 h 08 Badge inconnu refusé ce badge n’est à personne" in said
    assert "18 h 04 Grégoire V. entrée tient le lieu jusqu’à 22 h" in said
    assert "17 h 45 Alice É. sortie bonne route" in said
    assert "9 h 10 Zoé W. refusé accès suspendu" in said


def test_a_grant_that_lapsed_is_told_as_such(place: Place) -> None:
    place.journal.tap_in(at(19, 10), "brigitte", Reason.GARDIEN_PRESENT)
    place.tell()
    assert "19 h 10 Brigitte O. sans entrer la porte n’a pas été ouverte" in place.page("/", place.staff())


def test_a_grant_of_this_minute_may_still_be_settled(place: Place) -> None:
    place.journal.tap_in(at(19, 12), "brigitte", Reason.GARDIEN_PRESENT)
    place.tell()
    assert "19 h 12 Brigitte O. entrée un gardien est là" in place.page("/", place.staff())


def test_a_member_who_is_gone_has_no_name(place: Place) -> None:
    place.journal.enters(at(19, 9), "nobody-any-more")
    place.tell()
    assert "Membre retiré entrée" in place.page("/", place.staff())


def test_what_needs_somebody(place: Place) -> None:
    client = place.staff()
    assert "À savoir" not in place.page("/", client)
    assert "ne joint pas le courtier" not in place.page("/", client)
    place.link_up = False
    assert "ne joint pas le courtier" in place.page("/", client)
    assert "À savoir" not in place.page("/")


def test_an_edge_in_order(place: Place) -> None:
    place.desk.say(Status(True, rules_version=1, clock=ClockState.SYNCED, readers={"front-in": None}))
    said = place.page("/", place.staff())
    assert "front en ordre en ligne depuis 19 h 12 porte fermée règles v1" in said
    assert "garage à regarder jamais vue : démarrez-la" in said


def test_an_edge_with_everything_wrong(place: Place) -> None:
    place.desk.say(
        Status(
            True,
            rules_version=0,
            clock=ClockState.UNKNOWN,
            readers={"front-in": "silent"},
            unacknowledged=101,
            journal_fault="disk full",
        )
    )
    place.journal.add(at(19, 1), Kind.DOOR_FORCED)
    place.journal.add(at(19, 2), Kind.DOOR_HELD)
    place.tell()
    place.desk.ingest.take("loquet/casaco/edge/front/events", b"rubbish")
    said = place.page("/", place.staff())
    for words in (
        "front en panne",
        "lecteur d’entrée en panne : vérifiez son câble",
        "journal en défaut : libérez ou changez la carte SD",
        "règles v0, la v1 est en route",
        "horloge perdue",
        "101 lignes à remettre",
        "porte tenue ouverte depuis 19 h 02 : fermez-la",
        "porte forcée à 19 h 01 : voyez qui est entré",
        "1 message refusé, le dernier à 19 h 12 : le journal du serveur dit pourquoi",
    ):
        assert words in said
    assert not [foreign for foreign in ("silent", "disk full", "not a", "front-in", "loquet/") if foreign in said]
    english = plain(place.staff().get("/?lang=en").text)
    assert "entry reader at fault (silent): check its cable" in english
    assert "journal at fault (disk full)" in english


def test_two_machines_that_speak_as_one_edge(place: Place) -> None:
    words = (
        "front en panne en ligne depuis 19 h 12 deux machines ont les mêmes clés et se coupent la parole sous ce nom"
    )
    for boot, told in (("one", False), ("two", False), ("one", True)):
        place.desk.say(Status(True, boot=boot))
        place.desk.say(Status(False))
        place.desk.say(Status(True, boot=boot))
        assert (words in place.page("/", place.staff())) is told


def test_an_edge_that_went_and_a_door_that_is_forced(place: Place) -> None:
    place.desk.say(Status(True))
    place.desk.now = at(19, 5)
    place.desk.say(Status(False))
    place.journal.add(at(19, 1), Kind.DOOR_FORCED)
    place.tell()
    said = place.page("/", place.staff())
    assert "front en panne muette depuis 19 h 05" in said
    assert "porte forcée et encore ouverte : allez voir" in said


# The day


def test_today_in_full(place: Place) -> None:
    said = place.page("/today", place.staff())
    assert "Mardi 24 novembre 2026" in said
    assert "5 arrivées, 4 personnes jusqu’à 19 h 12" in said
    assert "9 h 05 Brigitte O. nomad 12 h 13 h 02 Brigitte O. nomad sur place" not in said
    assert "9 h 05 Brigitte O. nomad 12 h" in said
    assert "13 h 02 Brigitte O. nomad sur place" in said
    assert "8 h 58 Alice É. team 17 h 45" in said
    assert (
        "Refus 19 h 08 Badge inconnu front refusé ce badge n’est à personne Ce qui aiderait : attribuer le badge à"
        " l’accueil Pourquoi ? 9 h 10 Zoé W. front refusé accès suspendu Ce qui aiderait : en parler avec le membre"
        in said
    )
    assert "9 h – 10 h 3" in said


def test_nobody_who_has_logged_in_is_asked_to_log_in(place: Place) -> None:
    known = [place.staff(), account_of(place, "gregoire"), account_of(place, "remy")]
    for path in ("/", "/today"):
        assert 'id="to-login"' in place.client.get(path).text
        for client in known:
            assert 'id="to-login"' not in client.get(path).text


def test_two_cards_at_once_can_be_looked_up(place: Place) -> None:
    place.journal.add(at(19, 9), Kind.CARDS_COLLIDED, reader="front-in")
    place.tell()
    said = place.page("/today", place.staff())
    assert (
        "Refus 19 h 09 Plusieurs badges front refusé deux cartes à la fois Ce qui aiderait : présenter un seul" in said
    )


def test_many_refusals_do_not_fill_the_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pages.today.SHOWN_REFUSALS", 1)
    said = place.page("/today", place.staff())
    assert "19 h 08 Badge inconnu" in said
    assert "Zoé" not in said
    assert "et 1 autre, plus tôt" in said


@pytest.mark.sqlite
@pytest.mark.parametrize("reason", [Reason.BOOKING, Reason.MACHINE_BUSY])
def test_the_end_of_the_calendar_that_an_older_version_kept_breaks_no_page(place: Place, reason: Reason) -> None:
    last, now = moment(instant("9999-12-31T23:59Z")), moment(at(19))
    kept = {"edge": "front", "journal": "old", "seq": 1, "received": now, "at": now, "kind": "tap", "mono_ms": 0} | {
        "boot": "",
        "clock": "synced",
        "pending": False,
        "reader": "laser-tap",
        "access_point": "laser",
        "member": "remy",
        "granted": reason is Reason.BOOKING,
        "reason": reason,
        "until": last if reason is Reason.BOOKING else None,
    }
    with place.database.transaction() as session:
        session.connection().execute(insert(JournalRow), [kept])
        use = {"machine": "laser", "kind": "laser", "started": now, "member": "zoe", "cuts": True}
        session.add(MachineSession(**use, until=last, edge="front", heard=now))
    for path in ("/", "/today"):
        assert "Rémy" in place.page(path, place.staff())


@pytest.mark.sqlite
def test_a_crowd_that_somebody_invented_neither_breaks_nor_fills_the_page(place: Place) -> None:
    """A database takes so many values in one question, PostgreSQL 65,535, SQLite as it is built; here 1,000."""

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1000)

    event.listen(place.database._readers, "checkout", limit)
    came = {"edge": "front", "journal": "invented", "received": moment(at(19)), "at": moment(at(19)), "kind": "tap"} | {
        "mono_ms": 0,
        "boot": "",
        "clock": "synced",
        "pending": False,
        "inside": True,
        "moved_at": moment(at(19)),
    }
    with place.database.transaction() as session:
        rows = [came | {"seq": seq, "member": f"m{seq}"} for seq in range(1, 1201)]
        session.connection().execute(insert(JournalRow), rows)
    assert "arrivées jusqu’à 19 h 12" in place.page("/today")
    said = place.page("/today", place.staff())
    assert said.count("Membre retiré") == SHOWN_ARRIVALS
    assert "autres, plus tôt" in said


def test_who_is_inside_stands_on_top_by_name(place: Place) -> None:
    said = place.page("/", place.staff())
    inside = "Dans les murs Brigitte O. 13 h 02 Grégoire V. 18 h 04 Rémy Q. 9 h 30"
    assert inside in said
    assert said.index(inside) < said.index("Derniers passages")
    assert "Dans les murs" not in place.page()
    place.now = at(5) + DAY
    place.publisher.publish()
    assert "Dans les murs Personne n’est dans les murs." in place.page("/", place.staff())


def test_two_people_of_one_short_name_are_told_apart_on_every_page(place: Place) -> None:
    small = small_bundle()
    names = {"brigitte": "Marie Martin", "remy": "Marie Moreau", "gregoire": "Marie Moreau"}
    members = tuple(replace_parts(m, name=names.get(m.id, m.name)) for m in small.members)
    with place.database.transaction() as session:
        import_bundle(session, replace_parts(small, members=members), DECIDED)
    place.publisher.publish()
    staff = place.staff()
    said = place.page("/", staff)
    assert "Marie Moreau (nomad) tient le lieu." in said
    assert "Marie Mar. 13 h 02 Marie Moreau (nomad) 18 h 04 Marie Moreau (resident) 9 h 30" in said
    for told in (said, place.page("/today", staff)):
        assert "Marie M." not in told


def test_a_fire_is_the_headline(place: Place) -> None:
    place.journal.add(at(19, 1), Kind.FIRE)
    place.tell()
    for said in (place.page(), place.page("/", place.staff())):
        assert "Alarme incendie Sortez, et n’entrez pas. front, depuis 19 h 01" in said
        assert "Ouvert" not in said
    with place.database.transaction() as session:
        set_lockdown(session, True, Decided("equipe", at(19, 2)))
    assert "Lieu confiné" not in place.page(), "a fire comes before all else"
    place.journal.add(at(19, 4), Kind.FIRE_ENDED)
    place.tell()
    assert "Alarme incendie" not in place.page()


def test_doors_machines_and_tiers_go_by_their_names(place: Place) -> None:
    with place.database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
    place.publisher.publish()
    assert "Porte front à regarder" in place.page("/", place.staff())
    assert "Zoé W. Porte front refusé" in place.page("/today", place.staff())


def test_today_in_public(place: Place) -> None:
    said = place.page("/today")
    assert "5 arrivées jusqu’à 19 h 12" in said
    assert "8 h – 9 h moins de 3" in said
    assert "9 h – 10 h 3" in said
    assert "suspendu" not in said
    assert "Arrivées" not in said


@pytest.mark.parametrize("date", ["zzz", "2026-11-23", "", "<b>" * 100])
def test_an_address_that_asks_for_another_day_is_refused(place: Place, date: str) -> None:
    answer = place.client.get("/today", query_string={"date": date})
    assert answer.status_code == 400
    assert f"Cette page montre la journée en cours et aucune autre. Retirez « date={date[:3]}" in unescape(
        answer.text
    ).replace(NB, " ")
    assert "<b>" not in answer.text
    english = place.client.get("/today", query_string={"date": date, "lang": "en"})
    assert f"Remove “date={date[:3]}" in unescape(english.text)
    assert len(english.text) < 5000


def test_few_arrivals_are_not_told_to_everybody(place: Place) -> None:
    place.now += DAY
    place.publisher.publish()
    assert "moins de 3 arrivées" in place.page("/today")
    for path in ("/", "/today"):
        shown = place.client.get(path).text.rpartition("</svg>")[2]
        assert "Moins de 3 personnes à la fois jusqu’ici." in shown, f"{path}: a picture without bars says why"
    assert "0 arrivée jusqu’à" in place.page("/today", place.staff())
    assert "Personne n’est encore venu." in place.page("/today", place.staff())


def test_the_picture_has_a_title_words_and_a_table(place: Place) -> None:
    text = place.staff().get("/today").text
    assert '<title id="chart-title">Présents par heure</title>' in text
    assert "Au plus 3 personnes à la fois." in text
    assert 'role="img" aria-labelledby="chart-title chart-words"' in text
    assert text.count("<rect") == text.count(f"{NB}–") == 12


def test_right_after_the_cutoff_the_day_is_empty(place: Place) -> None:
    place.now = at(4) + DAY
    place.publisher.publish()
    said = place.page("/today", place.staff())
    assert "Mercredi 25 novembre 2026" in said
    assert "La journée commence" in said


def test_before_the_cutoff_it_is_still_yesterday(place: Place) -> None:
    place.now = at(3, 59) + DAY
    assert "Mardi 24 novembre 2026" in place.page("/today", place.staff())


# Languages


def test_english_by_the_browser(place: Place) -> None:
    answer = place.client.get("/", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in answer.text
    assert "Open until 22:00" in plain(answer.text)


@pytest.mark.parametrize("languages", ["", "fr-FR", "de-DE,de;q=0.9", "fr,en;q=0.5"])
def test_french_for_all_others(place: Place, languages: str) -> None:
    answer = place.client.get("/", headers={"Accept-Language": languages})
    assert '<html lang="fr">' in answer.text
    assert "Ouvert jusqu’à" in answer.text


def test_a_chosen_language_stays(place: Place) -> None:
    client = place.staff()
    client.get("/?lang=en")
    said = place.page("/today", client)
    assert "Tuesday 24 November 2026" in said
    assert "5 arrivals, 4 people until 19:12" in said
    assert "09:10 Zoé W. front refused access suspended What would help: a talk with the member" in said
    client.get("/?lang=fr")
    assert "Mardi 24 novembre 2026" in place.page("/today", client)


def test_a_language_that_we_do_not_speak_changes_nothing(place: Place) -> None:
    answer = place.client.get("/?lang=tlh")
    assert '<html lang="fr">' in answer.text
    assert place.client.get_cookie("lang") is None


# Live pages and health


def test_a_page_listens_from_before_it_was_drawn(place: Place) -> None:
    place.live.changed()
    version = place.live.version
    assert f'sse-connect="/live?seen={version}"' in place.client.get("/").text
    place.live.changed()
    with place.client.get(f"/live?seen={version}") as answer:
        assert f"event: changed\ndata: {version + 1}" in "".join(map(bytes.decode, islice(answer.iter_encoded(), 2)))


def test_an_open_page_hears_of_a_change(place: Place) -> None:
    stream = place.client.get("/live")
    events = stream.iter_encoded()
    assert stream.content_type == "text/event-stream"
    assert stream.headers["X-Accel-Buffering"] == "no"
    assert next(events) == b"retry: 5000\n\n"
    assert next(events) == b"event: still\ndata: here\n\n"
    place.live.changed()
    place.live.changed()
    assert next(events) == b"event: changed\ndata: 2\n\n"
    place.live.close()
    assert list(events) in ([], [b"event: still\ndata: here\n\n"])
    stream.close()


def test_too_many_live_pages_are_told_to_ask_themselves(place: Place) -> None:
    streams = [place.client.get("/live") for _ in range(2)]
    started = [stream.iter_encoded() for stream in streams]
    for events in started:
        next(events)
    answer = place.client.get("/live")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    for stream in streams:
        stream.close()
    with place.client.get("/live") as answer:
        assert answer.status_code == 200


def test_health(place: Place) -> None:
    place.desk.say(Status(True))
    answer = place.client.get("/health")
    assert answer.json == {
        "status": "ok",
        "broker": True,
        "rules_version": 1,
        "edges": {"online": 1, "known": 2},
        "doors": {"silent": []},
    }
    place.link_up = False
    assert place.client.get("/health").json["status"] == "degraded"  # type: ignore[index]


# When something does not work


def test_a_page_that_is_not_there(place: Place) -> None:
    answer = place.client.get("/nothing")
    assert answer.status_code == 404
    assert "Cette page n’existe pas." in answer.text


def test_a_database_that_cannot_be_read(place: Place) -> None:
    staff = place.staff()
    with broken(place.database):
        page, health = staff.get("/"), staff.get("/health")
    assert page.status_code == health.status_code == 503
    assert "Réessayez dans une minute" in page.text
    assert health.content_type == "application/problem+json"


def test_a_fault_of_ours_shows_nothing_of_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("Rémy Quentin")

    monkeypatch.setattr("server.pages.now.picture", fail)
    answer = place.client.get("/")
    assert answer.status_code == 500
    assert "Quelque chose ne va pas de notre côté" in answer.text
    assert "Quentin" not in answer.text


def test_a_fire_alarm_is_said_for_as_long_as_it_lasts(place: Place) -> None:
    place.desk.say(Status(True))
    place.journal.add(at(19, 1), Kind.FIRE)
    place.tell()
    said = place.page("/", place.staff())
    assert "alarme incendie depuis 19 h 01 : la porte est déverrouillée" in said
    place.journal.add(at(19, 4), Kind.FIRE_ENDED)
    place.tell()
    assert "alarme incendie" not in place.page("/", place.staff())
