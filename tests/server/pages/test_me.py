"""A member's own page: what their badge does now and on the next days, by the door's own `decide`."""

import io
import json
import re
import zipfile
from datetime import date
from random import Random

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from edge.knowledge import Knowledge
from policy import door
from policy.bundle import Bundle, Credential, Event, Invitation, Member, Pass, Role, Shift
from policy.case import Tap
from policy.degrees import Known
from policy.facts import Paid
from policy.presence import Move, Presence
from policy.reasons import Reason
from policy.ruleset import RuleSet
from policy.spans import covers
from policy.state import SiteState
from policy.terms import DAY, MINUTE, Instant
from server.audit import Change, Decided, looked, record
from server.changes.bundle import import_bundle, put
from server.changes.lockdown import set_lockdown
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.models import Account, DayBadge
from server.models import Member as MemberRow
from server.publish.state import StatePublisher
from server.queries.entry import ahead, badges, entry, units_paid
from server.queries.looks import looks
from server.queries.my_data import my_data
from server.queries.now import picture
from tests.support_pages import SERVER_KEY, Place, plain
from tests.support_server import DECIDED, TOPICS, small_bundle
from tests.support_site import at
from wire.envelope import unseal
from wire.messages import Rules, State, decode
from wire.ruleset import unpack as unpack_rules
from wire.snapshot import unpack

TODAY = date(2026, 11, 24)
CARNET = Pass(id="p1", member="ines", unit="half_day", total=3, valid_until=date(2027, 3, 31))


def with_ines(**site: object) -> Bundle:
    """The small site, and Inès, who comes with a carnet of half-days."""
    small = small_bundle()
    return replace(
        small,
        site=replace(small.site, **site),
        members=(*small.members, Member(id="ines", name="Inès Moreau", tier="carnet")),
        credentials=(*small.credentials, Credential(uid="04C7A1E2", member="ines")),
        passes=(*small.passes, CARNET),
    )


@pytest.fixture
def ines(place: Place) -> Place:
    change(place, with_ines())
    return place


def change(place: Place, bundle: Bundle) -> None:
    with place.database.transaction() as session:
        import_bundle(session, bundle, DECIDED)
    place.publish()


def me(place: Place, which: str = "ines") -> str:
    return place.page("/me", place.member(which)).replace("\N{NO-BREAK SPACE}", " ")


def go(place: Place, now: Instant) -> None:
    place.now = now
    place.speak()
    place.publish()


def pay(place: Place, *units: str) -> None:
    with place.database.transaction() as session:
        store(session, [Paid("ines", unit) for unit in units], ToldBy("front", moment(place.now)))


def test_the_badge_opens_and_what_entering_costs(ines: Place) -> None:
    said = me(ines)
    assert "Ouvert jusqu’à 22 h ✓ Votre badge ouvre la porte. Grégoire V. tient le lieu." in said
    assert "Entrer maintenant prend 1 demi-journée : il vous en restera 2." in said
    pay(ines, "2026-11-24pm")
    assert "Entrer maintenant ne prend rien sur votre carnet." in me(ines)


def test_several_carnets_say_what_is_left_on_all_of_them(place: Place) -> None:
    several = with_ines()
    more = [replace(CARNET, id=f"p{which}") for which in (2, 3)]
    ended = replace(CARNET, id="p4", valid_until=date(2026, 11, 1))
    change(place, replace(several, passes=(*several.passes, *more, ended)))
    pay(place, "2026-11-23am")
    said = me(place)
    assert "il vous en restera 7" in said
    assert "8 demi-journées en tout et 2 autres carnets" in said


def test_a_carnet_that_is_used_up(ines: Place) -> None:
    pay(ines, "2026-11-20am", "2026-11-21pm", "2026-11-23pm")
    said = me(ines)
    assert "Ouvert, mais pas pour votre badge ✗ Votre carnet est épuisé." in said
    assert "Ce qui aide : un nouveau carnet" in said
    assert "mer. 25 nov. pas pour votre badge" in said


def test_shut_and_the_next_opening(ines: Place) -> None:
    go(ines, at(7, 30))
    said = me(ines)
    assert "Fermé – Prochaine ouverture pour vous : 9 h Votre badge ouvrira la porte à ce moment-là." in said
    go(ines, at(18, 30) + 2 * DAY)
    late = "Pas sûr pour l’instant ! Personne ne tient encore le lieu."
    assert f"{late} Garde prévue jusqu’à 20 h : Grégoire V. n’est pas là." in me(ines)
    go(ines, at(18, 5) + 2 * DAY)
    assert "Grégoire V. arrive bientôt ! La porte n’ouvre pas encore. Garde prévue jusqu’à 20 h : " in me(ines)


def test_of_a_gardien_who_is_late_the_own_end_is_said_and_not_that_of_whoever_follows(ines: Place) -> None:
    with ines.database.transaction() as session:
        put(session, [Shift("s3", "remy", "2026-11-26T20:00", "2026-11-26T22:00")], DECIDED)
        remy = next(one for one in ines.publisher.current.bundle.members if one.id == "remy")
        put(session, [replace(remy, roles=(Role.GARDIEN,))], DECIDED)
    ines.publish()
    go(ines, at(18, 30) + 2 * DAY)
    assert "Garde prévue jusqu’à 20 h : Grégoire V. n’est pas là." in me(ines)
    assert "Garde prévue jusqu’à 20 h : Grégoire V. n’est pas là." in answer(ines, "/", ines.staff())


@pytest.mark.sqlite
def test_it_says_of_tonight_what_maintenant_says(ines: Place) -> None:
    """Whoever asks in the morning whether the evening opens need not look at two pages."""
    mine, team = ines.member("ines"), ines.staff()
    for now in (at(19, 12), *(at(*hour) + 2 * DAY for hour in ((7, 30), (12, 0), (18, 5), (18, 30), (21, 0)))):
        go(ines, now)
        told = [line for line in answer(ines, "/", team) if line.startswith(("L’équipe", "Grégoire", "Sûr", "Garde"))]
        assert set(told) <= set(answer(ines, "/me", mine)), now
    go(ines, at(7, 30) + 2 * DAY)
    assert "Grégoire V. prend le relais à 18 h ; ouvert probablement jusqu’à 20 h." in answer(ines, "/me", mine)
    own = "Votre garde commence à 18 h ; le lieu est ouvert probablement jusqu’à 20 h."
    gregoire = ines.member("gregoire")
    assert own in answer(ines, "/me", gregoire)
    go(ines, at(12, 0) + 2 * DAY)
    assert "Sûr jusqu’à 18 h, probable ensuite : vous de 18 h à 20 h." in answer(ines, "/me", gregoire)


def answer(place: Place, path: str, client: FlaskClient) -> list[str]:
    """The lines of the one answer of Maintenant or Moi."""
    said = re.search(r'<section class="answer.*?</section>', client.get(path).text, re.DOTALL)
    assert said is not None
    return [plain(line) for line in re.findall("<p>(.*?)</p>", said[0])]


def test_a_gardien_who_has_left_again_is_not_about_to_come(ines: Place) -> None:
    ines.journal.leaves(at(19, 20), "gregoire")
    ines.tell()
    go(ines, at(19, 30))
    said = me(ines)
    gone = "Grégoire V. est sorti·e ! Personne ne tient le lieu."
    assert f"{gone} Garde prévue jusqu’à 22 h : Grégoire V. n’est pas là." in said
    assert "pas encore" not in ines.page()


def test_the_last_gardien_who_leaves_others_inside_is_told_so(ines: Place) -> None:
    ines.journal.leaves(at(19, 20), "gregoire")
    ines.tell()
    go(ines, at(19, 21))
    said = me(ines, "gregoire")
    assert "Vous êtes sorti·e ! 2 personnes sont encore dans les murs, et plus personne ne tient le lieu." in said
    assert "encore dans les murs" not in me(ines)
    for who in ("brigitte", "remy"):
        ines.journal.leaves(at(19, 25), who)
    ines.tell()
    go(ines, at(19, 26))
    assert "Vous êtes sorti·e" not in me(ines, "gregoire")


def test_a_day_names_its_events(ines: Place) -> None:
    event = Event(id="e", title="Repair café", start="2026-11-25T19:00", end="2026-11-25T22:00", audience="members")
    change(ines, replace(with_ines(), events=(event,)))
    assert "mer. 25 nov. ouvert 9 h – 18 h · 19 h – 22 h · Repair café, 19 h – 22 h" in me(ines)


def test_a_lockdown_and_a_fire_come_first(ines: Place) -> None:
    with ines.database.transaction() as session:
        set_lockdown(session, True, DECIDED)
    said = me(ines)
    assert "Lieu confiné depuis 19 h 12 ✗ Seule l’équipe entre. Tout le monde peut sortir." in said
    assert "mer. 25 nov. lieu confiné tant que l’équipe ne le lève pas" in said
    assert "pas pour votre badge" not in said, "nothing is wrong with the badge"
    assert "✓ Votre badge ouvre la porte." in me(ines, "alice")


def test_who_holds_the_place_reads_so(ines: Place) -> None:
    said = me(ines, "gregoire")
    assert "Vous tenez le lieu jusqu’à 22 h ✓" in said
    assert "Grégoire V. tient le lieu" not in said, "nobody is told of oneself by name"
    assert "Grégoire V. tient le lieu" in me(ines)


def test_a_shift_that_runs_is_no_next_one(ines: Place) -> None:
    said = me(ines, "gregoire").replace("\N{WORD JOINER}", "")
    now, then = "mar. 24 nov., 18 h – 22 h", "jeu. 26 nov., 18 h – 20 h"
    assert f"Mes gardes Votre garde, maintenant : {now}. Votre prochaine garde : {then}." in said
    rota = ines.page("/gardiens", ines.member("gregoire"))
    assert "Votre garde, maintenant Ce soir" in rota.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.sqlite
def test_how_long_a_gardien_holds_it_is_said_by_their_own_shift(ines: Place) -> None:
    """Of two who hold it the one goes earlier."""
    site = with_ines()
    brigitte = replace(next(one for one in site.members if one.id == "brigitte"), roles=(Role.GARDIEN,))
    others = tuple(one for one in site.members if one.id != "brigitte")
    late = Shift(id="late", gardien="brigitte", start="2026-11-24T18:30", end="2026-11-24T23:00")
    change(ines, replace(site, members=(*others, brigitte), shifts=(*site.shifts, late)))
    assert "Ouvert jusqu’à 23 h" in me(ines)
    said = me(ines, "gregoire")
    assert "Vous tenez le lieu jusqu’à 22 h" in said
    assert "Vous et Brigitte O. tenez le lieu." in said


def test_a_gardien_who_is_not_there_yet_reads_that_it_is_their_shift(ines: Place) -> None:
    """Until when it is theirs, whoever follows."""
    site = with_ines()
    brigitte = replace(next(one for one in site.members if one.id == "brigitte"), roles=(Role.GARDIEN,))
    others = tuple(one for one in site.members if one.id != "brigitte")
    relay = Shift(id="relay", gardien="brigitte", start="2026-11-26T20:00", end="2026-11-26T22:00")
    change(ines, replace(site, members=(*others, brigitte), shifts=(*site.shifts, relay)))
    go(ines, at(18, 5) + 2 * DAY)
    said = me(ines, "gregoire")
    assert "Votre garde, jusqu’à 20 h ✓ Votre badge ouvre : front Badgez à l’entrée : le lieu est alors ouvert" in said
    assert "Garde prévue jusqu’à 20 h : vous n’êtes pas encore là." in said
    assert "Fermé, sauf pour vous" not in said


def test_a_resident_may_come_when_it_is_shut(ines: Place) -> None:
    go(ines, at(23, 30))
    said = me(ines, "remy")
    assert "Fermé, sauf pour vous ✓ Votre badge ouvre la porte." in said
    assert "mer. 25 nov. à toute heure" in said


def test_the_next_days(ines: Place) -> None:
    said = me(ines)
    assert "mer. 25 nov. ouvert 9 h – 18 h" in said
    assert "jeu. 26 nov. ouvert 9 h – 18 h · 18 h – 20 h sans doute, avec Grégoire V." in said
    assert "sam. 28 nov. ouvert 10 h – 17 h" in said
    change(ines, with_ines(openings=()))
    assert "sam. 28 nov. fermé" in me(ines)


def test_a_badge_that_ends_today_is_said_with_what_helps(ines: Place) -> None:
    site = with_ines()
    change(ines, replace(site, credentials=(*site.credentials[:-1], replace(site.credentials[-1], valid_until=TODAY))))
    said = me(ines)
    assert "✓ Votre badge ouvre la porte." in said
    assert "mer. 25 nov. pas pour votre badge passer à l’accueil pour un autre badge jeu. 26 nov. pas pour" in said
    assert said.count("passer à l’accueil") == 1


def test_without_badge_suspended_and_already_inside(ines: Place) -> None:
    assert "Vous n’avez pas de badge" in me(ines, "zoe")
    assert "Ce badge a été déclaré perdu" in me(ines, "brigitte")
    change(ines, with_ines(anti_passback="hard"))
    assert "Votre badge est déjà à l’intérieur" in me(ines, "remy")


def test_own_passages_alone_with_what_helps(place: Place) -> None:
    said = me(place, "zoe")
    assert "9 h 10 refusé votre accès est suspendu : parlez-en à l’équipe Ce qui aide : en parler avec l’équipe" in said
    assert "en parler avec l’équipe front" in said, "each names its door"
    assert said.count("refusé") == 1
    assert "Aucun passage récent." not in said


def test_of_whom_no_passage_is_kept_it_is_not_said_that_they_never_came(ines: Place) -> None:
    assert "Mes derniers passages Aucun passage récent." in me(ines)


def test_who_looked_is_told(place: Place) -> None:
    with place.database.transaction() as session:
        looked(session, Decided("solene", at(10), "carnet compté"), "passages", ["remy"])
    assert "Votre fiche a été lue 1 fois. solene, mar. 24 nov., « carnet compté »" in me(place, "remy")
    assert "Personne n’a noté avoir lu votre fiche." in me(place, "zoe")


def test_a_program_that_asks_every_minute_leaves_the_page_as_quick(place: Place) -> None:
    with place.database.transaction() as session:
        for _ in range(50):
            looked(session, Decided("API : site", at(10)), "api members", None)
        looked(session, Decided("solene", at(11), "carnet compté"), "passages", ["remy"])
    assert "Votre fiche a été lue 51 fois. solene, " in me(place, "remy")
    with place.database.reading() as session:
        assert [one.by for one in looks(session, "remy")] == ["solene", *["API : site"] * 4]


def test_an_account_without_a_member(place: Place) -> None:
    page = place.page("/me", place.staff())
    assert "Ce compte n’est celui d’aucun membre." in page
    main = place.staff().get("/me").text.partition("<main")[2]
    for address in ("/members", "/hours", "/gardiens/evenings", "/sante"):
        assert f'href="{address}"' in main, "it leads to what it is for"
    assert place.staff().get("/me/data").status_code == 404


def test_a_member_lands_on_their_page_and_the_team_on_the_first(place: Place) -> None:
    for which, path in (("remy", "/me"), ("alice", "/")):
        place.member(which)
        client = place.app.test_client()
        data = {"name": f"{which}.compte", "password": "correct horse", "csrf_token": place.form_token(client)}
        assert client.post("/login", data=data).headers["Location"] == path


def test_all_that_is_kept_in_one_file(place: Place) -> None:
    answer = place.member("remy").get("/me/data")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        found = json.loads(file.read("loquet.json"))
        passages = file.read("passages.csv").decode("utf-8-sig")
    assert found["member"][0]["name"] == "Rémy Quentin"
    assert [row["reason"] for row in found["passages"] if row["kind"] == "tap"] == ["always"]
    assert found["badges"][0]["uid"] == "…0000"
    assert "2026-11-24" in passages
    assert "always" in passages
    assert "alice" not in json.dumps(found)
    assert "hash" not in json.dumps(found)


def test_what_was_decided_about_something_of_the_same_key_is_not_theirs(place: Place) -> None:
    """Somebody else's login, or a badge of the stock, may be called as a member is."""
    with place.database.transaction() as session:
        others = [Change(table, ("remy",), "change", None, {"of": "alice"}) for table in (Account, DayBadge)]
        record(session, DECIDED, [*others, Change(MemberRow, ("remy",), "change", None, {"tier": "resident"})])
    with place.database.reading() as session:
        audit = my_data(session, place.publisher.current.bundle, "remy")["audit"]
    assert [row["noun"] for row in audit if row["did"] == "change"] == ["member"]


def test_a_formula_in_a_name_is_text_in_the_spreadsheet(place: Place) -> None:
    with place.database.transaction() as session:
        put(session, [Member(id="remy", name="=1+1", tier="resident")], DECIDED)
    place.publish()
    with zipfile.ZipFile(io.BytesIO(place.member("remy").get("/me/data").data)) as file:
        assert ";'=1+1;" in file.read("member.csv").decode("utf-8-sig")


class Door:
    """What an edge holds: the rules and the state that were published, read back."""

    def __init__(self, place: Place) -> None:
        sent = unseal(SERVER_KEY.public_key(), "server", TOPICS.rules, place.published[TOPICS.rules])
        self.rules: RuleSet = unpack_rules(decode(Rules, sent, "rules").body)
        told: list[bytes] = []
        StatePublisher(place.database, SERVER_KEY, lambda: place.now, lambda _, payload: told.append(payload)).publish()
        state = decode(State, unseal(SERVER_KEY.public_key(), "server", TOPICS.state, told[-1]), "state")
        knowledge = Knowledge()
        knowledge.replace_snapshot(1, unpack(state.body), None)
        self.state: SiteState = knowledge.state

    def opens(self, badge: str, when: Instant) -> tuple[bool, Reason]:
        self.state.not_after = when
        said = [door.decide(self.rules, self.state, Tap(reader, badge), when) for reader in ("front-in", "garage-in")]
        best = min(said, key=lambda one: (not one.granted, one.reason is Reason.NOT_ALLOWED_HERE))
        return best.granted, best.reason


def busy_site(chance: Random) -> Bundle:
    """Everything that can let somebody in or keep them out, drawn."""
    small, day = with_ines(), date(2026, 11, 24)
    hours = sorted(chance.sample(range(6, 23), 4))
    return replace(
        small,
        site=replace(
            small.site, anti_passback=chance.choice(("off", "hard")), at_capacity="deny", capacity=chance.choice((3, 9))
        ),
        events=(
            Event(
                id="e",
                title="E",
                start=f"{day}T{hours[0]:02}:15",
                end=f"{day}T{hours[1]:02}:45",
                audience="members",
                free=chance.random() < 0.5,
            ),
        ),
        invitations=(Invitation(id="i", member="ines", start=f"2026-11-25T{hours[2]:02}:00", end="2026-11-25T23:30"),),
        shifts=(
            *small.shifts,
            Shift(id="s9", gardien="gregoire", start=f"2026-11-25T{hours[1]:02}:00", end="2026-11-26T01:00"),
        ),
        members=tuple(
            replace(one, valid_until=day if chance.random() < 0.2 else None) if one.id == "ines" else one
            for one in small.members
        ),
        passes=(
            replace(CARNET, total=chance.choice((0, 1, 2, 9)), used=("2026-11-23am",) if chance.random() < 0.5 else ()),
        ),
    )


@pytest.mark.sqlite
def test_page_and_door_never_disagree_about_now(place: Place) -> None:
    """The page asks the tables; the door has what was published. Random sites, stories and instants, by one count."""
    chance = Random(7)
    for _ in range(12):
        change(place, busy_site(chance))
        for _ in range(chance.randrange(4)):
            who, when = (
                chance.choice(("ines", "gregoire", "remy", "alice")),
                place.now + chance.randrange(1, 90) * MINUTE,
            )
            place.now = when + MINUTE
            (place.journal.enters if chance.random() < 0.7 else place.journal.leaves)(when, who)
        place.tell()
        pay(place, f"2026-11-{chance.randrange(20, 27)}{chance.choice(('am', 'pm'))}")
        place.publish()
        edge = Door(place)
        for _ in range(12):
            when, who = (
                place.now + chance.randrange(3 * DAY),
                chance.choice(("ines", "gregoire", "remy", "alice", "brigitte")),
            )
            current = place.publisher.current
            with place.database.reading() as session:
                state = picture(session, current, when).known.state
                state.units[who].update(units_paid(session, who))
            held = badges(current, who)
            asked = entry(current.rules, state, held, when)
            assert asked is not None
            assert (asked.decision.granted, asked.decision.reason) == edge.opens(held[0], when), (who, when)


@pytest.mark.sqlite
def test_page_and_door_never_disagree_about_the_days_ahead(place: Place) -> None:
    """10,000 random instants of the next week, with those inside who have taken a shift, and nobody else."""
    chance, asked, granted = Random(8), 0, 0
    for _ in range(20):
        change(place, busy_site(chance))
        current = place.publisher.current
        known = Known(current.rules, current.shifts, SiteState(not_after=place.now), place.now)
        for who in ("ines", "gregoire", "remy", "brigitte"):
            held = badges(current, who)
            spans = ahead(known, who, held, place.now, place.now + 7 * DAY)
            assert [a.end for a in spans[:-1]] == [b.start for b in spans[1:]]
            for _ in range(125):
                when = place.now + chance.randrange(7 * DAY)
                span = next(one for one in spans if one.start <= when < one.end)
                here = [g for g, times in current.shifts.items() if g != who and covers(times, when)]
                state = SiteState(Presence((g, Move(when, inside=True)) for g in here), not_after=when)
                said = [door.decide(current.rules, state, Tap(r, held[0]), when) for r in ("front-in", "garage-in")]
                opens = any(one.granted for one in said)
                assert span.granted is opens, (who, when)
                asked, granted = asked + 1, granted + opens
    assert asked == 20 * 4 * 125
    assert 0 < granted < asked
