"""Banque d’heures: what is owed, each line with what says so, what was wrong, and what is contested."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Credit, Role, TimeBank
from policy.presence import Move
from policy.terms import DAY, HOUR
from server.audit import Decided
from server.changes.bank import book
from server.changes.bundle import import_bundle
from server.changes.carnets import pay
from server.changes.corrections import correct
from server.models import AuditRow, BankDispute, Member
from server.pages.bank_credits import minutes_in
from server.publish.bundle import export
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite

WEDNESDAY = at(12) + DAY
HELPED = Credit("k1", "gregoire", 120, date(2026, 11, 25), "peinture", "remy", "alice")


@pytest.fixture
def bank(place: Place) -> Place:
    """Grégoire held Tuesday from 18 h 04 on, badged out at 22 h 03, and a credit of two hours is attested."""
    small = small_bundle()
    members = tuple(replace(one, tier="carnet") if one.id == "gregoire" else one for one in small.members)
    site = replace(small.site, time_bank=TimeBank(unit_minutes=200, valid_months=1))
    with place.database.transaction() as session:
        told = replace(small, members=members, site=site, credits=(HELPED,))
        import_bundle(session, told, Decided("tests", at(8)))
    place.journal.leaves(at(22, 3), "gregoire")
    place.now = WEDNESDAY
    place.tell()
    book_(place)
    return place


def book_(place: Place) -> None:
    with place.database.transaction() as session:
        book(session, place.now, 90)
    place.publish()


def test_a_gardien_reads_what_is_owed_and_what_says_so(bank: Place) -> None:
    page = bank.page("/banque", bank.member("gregoire"))
    assert "La coop vous doit 6 h" in page
    assert "dont 1 unité sur le carnet" in page
    assert "Solde au dim. 1er nov. 0 min Gardes (1) + 4 h Crédits (1) + 2 h Solde au mer. 25 nov. 6 h" in page
    assert "mar. 24 nov. , garde + 4 h prévue 18 h – 22 h badge 18 h 04 – 22 h" in page
    assert "« peinture » proposé par Rémy Q., attesté par Alice É." in page
    assert "Recompté le mer. 25 nov., 0 minute d’écart." in page
    assert "1 h tenue = 1 h de coworking, arrondi à 15 min près." in page
    assert "3 h 20 font une demi-journée, ajoutée au carnet de qui en a un." in page, "a resident has none"
    me = bank.page("/me", bank.member("gregoire"))
    assert "1 demi-journée de garde" in me
    assert "6 h de coworking, dont 1 unité de garde sur le carnet" in me
    assert "Mes heures de garde" not in bank.page("/me", bank.member("brigitte"))


@pytest.mark.parametrize("shared", [False, True])
def test_who_reads_what_others_are_owed_is_the_sites_choice(bank: Place, shared: bool) -> None:
    """By role: the balances of everybody, the entries of somebody else, and by whom neither is read."""
    with bank.database.transaction() as session:
        bundle = export(session)
        assert bundle is not None
        terms = TimeBank(unit_minutes=200, valid_months=1, shared=shared)
        members = [replace(one, roles=(Role.GARDIEN,)) if one.id == "remy" else one for one in bundle.members]
        asked = replace(bundle, members=tuple(members), site=replace(bundle.site, time_bank=terms))
        import_bundle(session, asked, Decided("tests", bank.now))
    bank.publish()
    clients = {"staff": bank.staff(), "gardien": bank.member("remy"), "member": bank.member("brigitte")}
    pages = {role: client.get("/banque") for role, client in clients.items()}
    reads = {"staff"} | ({"gardien"} if shared else set())
    assert {role for role, page in pages.items() if 'id="all"' in page.text} == reads
    opens = {role for role, client in clients.items() if client.get("/banque/gregoire").status_code == 200}
    files = {role for role, client in clients.items() if client.get("/banque-csv/gregoire").status_code == 200}
    assert (
        opens == files == {"staff"} == {role for role, page in pages.items() if 'href="/banque/gregoire"' in page.text}
    )
    own = bank.page("/banque", bank.member("gregoire"))
    assert ("Les gardiens lisent le solde de chacun" in own) is shared


def test_the_team_shows_the_balances_to_gardiens_by_one_press_and_keeps_them_to_itself_by_another(bank: Place) -> None:
    team, gregoire = bank.member("alice"), bank.member("gregoire")

    def press(client: FlaskClient, shared: str) -> int:
        form = {"csrf_token": bank.form_token(client, "/banque"), "shared": shared}
        return client.post("/banque/shared", data=form).status_code

    def read() -> bool:
        return 'id="all"' in gregoire.get("/banque").text

    assert (read(), press(gregoire, "1"), read()) == (False, 403, False)
    assert "Le montrer aux gardiens" in bank.page("/banque", team)
    assert [press(team, "1"), press(team, "1")] == [303, 303]
    assert "Le réserver à l’équipe" in bank.page("/banque", team)
    assert read()
    assert "Le réserver à l’équipe" not in bank.page("/banque", gregoire)
    assert (press(team, ""), read()) == (303, False)
    with bank.database.reading() as session:
        changed = session.exec(select(AuditRow).where(AuditRow.noun == "site").order_by(AuditRow.id))  # type: ignore[arg-type]
        told = [(row.account, "shared" in str(row.after)) for row in changed if row.account != "tests"]
    assert told == [("alice.compte", True), ("alice.compte", False)]
    with bank.database.transaction() as session:
        bundle = export(session)
        assert bundle is not None
        import_bundle(session, replace(bundle, site=replace(bundle.site, time_bank=None)), DECIDED)
    bank.publish()
    assert "Ce lieu n’a pas, ou plus, de banque d’heures" not in bank.page("/banque", team)
    assert press(team, "1") == 409


def test_what_was_wrong_is_struck_and_stays(bank: Place) -> None:
    with bank.database.transaction() as session:
        correct(session, Decided("equipe", WEDNESDAY, "vu partir"), "gregoire", [Move(at(20, 30), inside=False)])
    bank.now = WEDNESDAY + DAY
    book_(bank)
    page = bank.page("/banque", bank.member("gregoire"))
    assert "compté avant : 4 h + 2 h 30" in page
    assert "Comptée 4 h, puis 2 h 30 le jeu. 26 nov." in page
    assert "La coop vous doit 4 h 30" in page


def test_a_half_day_entered_is_coworking_and_its_file_adds_up(bank: Place) -> None:
    bank.now = WEDNESDAY + HOUR
    with bank.database.transaction() as session:
        pay(session, Decided("equipe", bank.now), "gregoire", "2026-11-25pm")
    client = bank.member("gregoire")
    page = bank.page("/banque?month=2026-11", client)
    assert "Coworking, demi-journées (1) − 3 h 20" in page
    assert "La coop vous doit 2 h 40" in page
    lines = client.get("/banque-csv/gregoire?month=2026-11").text.splitlines()
    minutes = [int(line.split(";")[2]) for line in lines[1:]]
    assert minutes == [0, 240, 120, -200, 160]


def test_a_line_is_contested_taken_back_and_answered(bank: Place) -> None:
    client = bank.member("gregoire")
    token = {"csrf_token": bank.form_token(client, "/banque")}
    assert client.post("/banque/lines/1/contest", data=token).status_code == 400
    assert client.post("/banque/lines/1/contest", data=token | {"why": "j’étais dans la cour"}).status_code == 303
    page = bank.page("/banque", client)
    assert "contestée : « j’étais dans la cour »" in page
    assert client.post("/banque/lines/1/withdraw", data=token).status_code == 303
    assert client.post("/banque/lines/1/withdraw", data=token).status_code == 409
    client.post("/banque/lines/1/contest", data=token | {"why": "4 h"})
    team = bank.member("alice")
    assert "Lignes contestées Grégoire V." in bank.page("/banque", team)
    theirs = {"csrf_token": bank.form_token(team, "/banque")}
    assert team.post("/banque/lines/1/answer", data=theirs).status_code == 400
    assert team.post("/banque/lines/1/answer", data=theirs | {"why": "corrigé"}).status_code == 303
    page = bank.page("/banque", client)
    assert "alice.compte répond : « corrigé »" in page
    assert "La coop vous doit 6 h" in page, "a dispute moves nothing"
    with bank.database.reading() as session:
        assert [one.answer for one in session.exec(select(BankDispute).order_by(BankDispute.id))] == [None, "corrigé"]  # type: ignore[arg-type]


def test_the_team_reads_everybody_s_and_it_is_noted_nobody_else_does(bank: Place) -> None:
    team = bank.member("alice")
    assert "Grégoire V. 6 h 1" in bank.page("/banque", team)
    assert "La coop lui doit 6 h" in bank.page("/banque/gregoire", team)
    with bank.database.reading() as session:
        looks = session.exec(select(AuditRow.subject).where(AuditRow.noun == "bank", AuditRow.did == "looked")).all()
    assert looks == ["gregoire"]
    assert bank.member("brigitte").get("/banque/gregoire").status_code == 403
    assert team.get("/banque/nobody").status_code == 404
    assert bank.member("brigitte").post("/banque/lines/1/contest", data={}).status_code == 400


def credit(place: Place, client: FlaskClient, path: str = "", **fields: str) -> int:
    """What becomes of a press on /banque/credits by somebody: the status."""
    told = {"csrf_token": place.form_token(client, "/banque"), "token": "0123456789ab", **fields}
    return client.post(f"/banque/credits{path}", data=told).status_code


PAINTED = {"who": "Grégoire V.", "minutes": "2 h 30", "day": "25/11/2026", "why": "étagères"}


def test_a_credit_counts_once_somebody_else_attests_it(bank: Place) -> None:
    gregoire, alice, brigitte = (bank.member(one) for one in ("gregoire", "alice", "brigitte"))
    assert credit(bank, gregoire, **PAINTED) == 303
    assert credit(bank, gregoire, **PAINTED) == 303, "pressed twice"
    page = bank.page("/banque", alice)
    assert page.count("proposé par Grégoire V.") == 1
    assert "La coop lui doit 6 h" in bank.page("/banque/gregoire", alice)
    assert "Grégoire V. 6 h 1" in bank.page("/banque", alice)
    assert credit(bank, gregoire, "/attest", credit="k-0123456789ab") == 409
    assert credit(bank, brigitte, "/attest", credit="k-0123456789ab") == 403
    assert credit(bank, alice, "/attest", credit="k-0123456789ab") == 303
    assert credit(bank, alice, "/attest", credit="k-0123456789ab") == 409
    assert "La coop vous doit 8 h 30 de coworking, dont 2 unités" in bank.page("/banque", gregoire)
    assert "Grégoire V. 8 h 30 2" in bank.page("/banque", alice), "not what the team read before"
    assert credit(bank, alice, "/remove", credit="k-0123456789ab") == 303
    page = bank.page("/banque", gregoire)
    assert "La coop vous doit 6 h" in page
    assert "Comptée 2 h 30, annulée le mer. 25 nov." in page


def test_a_gift_goes_whole_or_not_at_all(bank: Place) -> None:
    gregoire, alice, brigitte, remy = (bank.member(one) for one in ("gregoire", "alice", "brigitte", "remy"))
    assert credit(bank, alice, **{**PAINTED, "who": "rémy", "giver_name": "gregoire"}) == 303
    assert credit(bank, gregoire, "/attest", credit="k-0123456789ab") == 409, "who gives"
    with bank.database.transaction() as session:
        session.get_one(Member, "remy").roles = ["gardien"]
    bank.publish()
    assert credit(bank, remy, "/attest", credit="k-0123456789ab-") == 409, "who gets"
    with bank.database.transaction() as session:
        session.get_one(Member, "brigitte").roles = ["gardien"]
    bank.publish()
    assert credit(bank, brigitte, "/attest", credit="k-0123456789ab-") == 303
    assert "La coop vous doit 2 h 30 de coworking" in bank.page("/banque", remy)
    assert "La coop vous doit 3 h 30 de coworking" in bank.page("/banque", gregoire)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minutes": "beaucoup"}, "Écrivez combien ainsi"),
        ({"minutes": "- 1 h", "giver_name": "remy"}, "un don est au-dessus de zéro"),
        ({"day": "hier"}, "Écrivez le jour ainsi"),
        ({"who": "Personne"}, "Personne ne s’appelle ainsi"),
        ({"who": "r"}, "Plusieurs personnes s’appellent ainsi : choisissez. Laquelle de ces personnes"),
        ({"giver_name": "r"}, "Un don de (laisser vide sinon) Plusieurs personnes s’appellent ainsi"),
        ({"why": " "}, "Dites pourquoi"),
        ({"giver_name": "gregoire"}, "à quelqu’un d’autre"),
    ],
)
def test_what_is_wrong_with_a_credit_is_said(bank: Place, change: dict[str, str], said: str) -> None:
    client = bank.member("alice")
    told = {"csrf_token": bank.form_token(client, "/banque"), **PAINTED, **change}
    answer = client.post("/banque/credits", data=told)
    assert answer.status_code == 400
    assert said in bank.words(answer)


def test_how_much_is_typed_in_several_ways() -> None:
    typed = ("2 h 30", "2h", "90", "90 min", "−1 h", "- 45", "+ 1 h 05", "1 h 75 min", "")
    assert [minutes_in(one) for one in typed] == [150, 120, 90, 90, -60, -45, 65, 0, 0]


def test_where_there_is_no_bank_the_page_says_that_alone(place: Place) -> None:
    for page in (place.page("/banque", place.member("gregoire")), place.page("/banque", place.staff())):
        assert "Ce lieu n’a pas de banque d’heures." in page
        for word in ("Solde", "Ligne par ligne", "la nuit qui suit"):
            assert word not in page


def test_a_credit_is_proposed_to_whom_one_came_from(bank: Place) -> None:
    alice = bank.member("alice")
    assert '<input type="hidden" name="member" value="gregoire">' in alice.get("/banque/gregoire").text
    assert 'name="member"' not in alice.get("/banque").text


def test_whom_a_credit_is_for_is_typed_and_chosen_of_several_and_the_page_names_no_member_for_it(bank: Place) -> None:
    alice = bank.member("alice")
    assert "Brigitte" not in alice.get("/banque").text, "a place with ten thousand members has the same form"
    token = {"csrf_token": bank.form_token(alice, "/banque"), "token": "0123456789ab"}
    answer = alice.post("/banque/credits", data=token | PAINTED | {"who": "r", "giver_name": "r"})
    assert answer.status_code == 400
    assert 'type="radio" name="member" value="remy"' in answer.text
    assert 'type="radio" name="giver" value="gregoire"' in answer.text
    chosen = {"who": "r", "member": "remy", "giver_name": "r", "giver": "gregoire"}
    assert alice.post("/banque/credits", data=token | PAINTED | chosen).status_code == 303
    page = bank.page("/banque", alice)
    assert "Rémy Q. , mer. 25 nov." in page
    assert "un don : les deux ou rien" in page
