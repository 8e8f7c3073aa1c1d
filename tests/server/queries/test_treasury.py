"""What is owed on carnets adds up, on every day, and leaves for a spreadsheet as it was meant."""

import dataclasses
import sqlite3
from datetime import date
from io import BytesIO

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook
from sqlmodel import select

from policy.bundle import Member, Pass
from policy.terms import DAY
from server.audit import Decided
from server.changes import carnets
from server.changes.bundle import import_bundle, put
from server.changes.carnets import Sale
from server.changes.people import end_member
from server.models import AuditRow
from server.queries.accounts import at_the_machine
from server.queries.people import carnets as left_of
from server.queries.treasury import FLOWS, Report, report
from server.text.sheets import Sheet, csv_file, xlsx_file
from tests.server.queries.test_carnets import AM, PM, zoe_pays
from tests.support_pages import STAFF, Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at

pytestmark = pytest.mark.sqlite

NASTY = '=HYPERLINK("http://nulle.part")'
TODAY = date(2026, 11, 24)


def counted(place: Place, first: date = date(2026, 1, 1), last: date = TODAY) -> Report:
    with place.database.reading() as session:
        return report(session, place.publisher.current, first, last)


def story(place: Place) -> None:
    """Zoé has 13 of 15 left; of 5 that ended in March 4 expired. One is sold, one half-day used, one given back."""
    bundle = small_bundle()
    old = Pass("old", "zoe", "half_day", 5, used=("2026-03-01am",), valid_until=date(2026, 3, 31))
    ending = replace(bundle.passes[0], valid_until=date(2026, 12, 31))
    with place.database.transaction() as session:
        import_bundle(session, replace(bundle, passes=(old, ending)), DECIDED)
        put(session, [replace(bundle.members[-1], name=NASTY)], DECIDED)
    place.publish()
    zoe_pays(place, at(9), AM)
    zoe_pays(place, at(14), PM)
    with place.database.transaction() as session:
        carnets.sell(session, Decided(STAFF, at(15)), "zoe", Sale(10, "=1+1 €", None, None), TODAY)
        carnets.give_back(session, Decided(STAFF, at(15), "colis"), "zoe", PM)
    place.publish()


def test_what_is_remembered_from_before_a_change_is_what_is_reckoned_anew(place: Place) -> None:
    """After each change: of carnets, of days paid, of names, of the day that is asked for."""
    story(place)
    asked = [(date(2026, 1, 1), TODAY), (date(2026, 3, 1), date(2026, 4, 2))]
    for change in range(4):
        found = [counted(place, *days) for days in asked]
        current = place.publisher.current
        fresh = dataclasses.replace(current, memory={})
        with place.database.reading() as session:
            assert found == [report(session, fresh, *days) for days in asked], change
            people = current.people.people.values()
            assert left_of(session, current, people, place.now) == left_of(session, fresh, people, place.now)
        assert current.memory["accounts"]
        with place.database.transaction() as session:
            if change == 0:
                carnets.sell(session, Decided(STAFF, at(16)), "zoe", Sale(3, "", None, None), TODAY, "aaaaaaaaaaaa")
            elif change == 1:
                carnets.charge_again(session, Decided(STAFF, at(17)), "zoe", PM)
            else:
                put(session, [replace(small_bundle().members[-1], name=f"Zoé {change}")], DECIDED)
        if change == 2:
            zoe_pays(place, at(18) + DAY, "2026-11-25pm")
        place.publish()


def test_what_was_owed_came_and_went_adds_up(place: Place) -> None:
    story(place)
    found = counted(place).totals["half_day"]
    assert (found.before, found.after) == (20, 22)
    assert found.flows == {"opening": 0, "sold": 10, "given_back": 1, "used": -5, "expired": -4}
    before = counted(place, last=date(2026, 3, 31))
    assert (before.totals["half_day"].after, [one.left for one in before.owed]) == (19, [4, 15])
    assert counted(place, last=date(2026, 4, 1)).totals["half_day"].after == 15


def test_each_day_begins_with_what_the_day_before_ended_with(place: Place) -> None:
    story(place)
    for day in (date(2026, 3, 31), date(2026, 4, 1), date(2026, 11, 20), TODAY, date(2026, 12, 31), date(2027, 1, 1)):
        alone, until = counted(place, day, day), counted(place, last=day)
        assert alone.totals["half_day"].after == until.totals["half_day"].after == sum(one.left for one in until.owed)
        flows = sum(alone.totals["half_day"].flows[did] for did in FLOWS)
        assert alone.totals["half_day"].before + flows == alone.totals["half_day"].after


def test_a_carnet_that_ends_within_60_days_is_named(place: Place) -> None:
    story(place)
    assert [(one.carnet.held.id, one.left) for one in counted(place).ending] == [("c1", 12)]
    assert counted(place, last=date(2026, 10, 31)).ending == ()


def test_what_is_moved_after_it_expired_is_owed_again(place: Place) -> None:
    story(place)
    with place.database.transaction() as session:
        carnets.move(session, Decided(STAFF, at(15)), "zoe", "old", None, TODAY)
    found = counted(place)
    assert found.totals["half_day"].after == 26 == sum(one.left for one in found.owed)
    assert found.totals["half_day"].flows["expired"] == 0


def test_who_is_no_member_any_more_is_owed_nothing_and_their_year_stays(place: Place) -> None:
    story(place)
    with place.database.transaction() as session:
        end_member(session, at_the_machine("tests"), Decided(STAFF, at(18)), "zoe")
    place.publish()
    found = counted(place)
    assert (found.totals["half_day"].after, found.owed, [one.price for one in found.sales]) == (0, (), ["=1+1 €"])
    assert found.totals["half_day"].flows["used"] == -5
    assert counted(place, last=date(2026, 11, 23)).totals["half_day"].after == 13


def test_the_page_says_it_and_a_wrong_day_is_said_beside_its_field(place: Place) -> None:
    story(place)
    client = place.staff()
    page = place.page("/carnets", client).replace("\N{NO-BREAK SPACE}", " ")
    assert "Carnets du 1er janvier 2026 au 24 novembre 2026 demi-journées : 22 dues" in page
    assert "vendues 10 rendues 1 utilisées -5 expirées ou closes -4 dues le 24 novembre 2026 au soir 22" in page
    for asked, said in (("to=hier", "Écrivez le jour ainsi"), ("from=2/1/2027&to=1/1/2027", "avant le premier")):
        answer = client.get(f"/carnets?{asked}")
        assert (answer.status_code, said in answer.text) == (400, True)


def test_a_last_day_to_come_is_said_to_be_one(place: Place) -> None:
    client = place.staff()
    said = "Ce dernier jour est à venir"
    assert said in place.page("/carnets?to=31/12/2026", client).replace("\N{NO-BREAK SPACE}", " ")
    assert said not in place.page("/carnets?to=24/11/2026", client)


def test_those_who_are_owed_stand_in_the_order_of_the_alphabet(place: Place) -> None:
    names = {"m1": "Élias Noir", "m2": "Emma Petit", "m3": "Éva Roux"}
    with place.database.transaction() as session:
        put(session, [Member(id=one, name=name, tier="carnet") for one, name in names.items()], DECIDED)
        put(session, [Pass(f"c-{one}", one, "half_day", 15) for one in names], DECIDED)
    place.publish()
    assert [one.name for one in counted(place).owed] == [*names.values(), "Zoé Wibaux"]


def test_the_files_hold_no_formula_and_the_download_is_audited(place: Place) -> None:
    story(place)
    client = place.staff()
    sent = {"csrf_token": place.form_token(client, "/carnets"), "from": "01/01/2026", "to": "24/11/2026"}
    listed = client.post("/carnets/export", data=sent | {"list": "owed"})
    assert listed.data.startswith(b"\xef\xbb\xbfMembre;Formule;Unit")
    assert f'"\'{NASTY.replace(chr(34), chr(34) * 2)}";carnet;demi-journées;12;15;;31/12/2026;c1' in listed.text
    sold = client.post("/carnets/export", data=sent | {"list": "sales"})
    named = [answer.headers["Content-Disposition"] for answer in (listed, sold)]
    assert [name.partition("filename=")[2].strip("\"") for name in named] == [
        "reste-carnets-2026-11-24.csv", "ventes-carnets-2026-11-24.csv",
    ]  # fmt: skip
    assert f"24/11/2026;\"'{NASTY.replace(chr(34), chr(34) * 2)}\";demi-journées;10;'=1+1 €;equipe" in sold.text
    book = load_workbook(BytesIO(client.post("/carnets/export", data=sent | {"format": "xlsx"}).data))
    assert book.sheetnames == ["Total", "Reste", "Ventes", "Finissent bientôt"]
    assert [(cell.value, cell.data_type) for cell in book["Ventes"][2]][1] == (NASTY, "s")
    assert [cell.value for cell in book["Total"][2]] == ["demi-journées", 20, 0, 10, 1, -5, -4, 22]
    with place.database.reading() as session:
        looks = session.exec(select(AuditRow).where(AuditRow.did == "looked")).all()
    assert [(row.account, row.noun, row.subject) for row in looks] == [(STAFF, "carnets", "*")] * 3


def test_a_sheet_takes_any_name(place: Place) -> None:
    with place.app.test_request_context("/"):
        for name in ("+33", "-1", "@x", "\t=1", "a\x07b", "日本", "é" * 10_000):
            sheet = Sheet("Noms", ["nom"], [[name], [7], [None], [date(2026, 1, 2)]])
            assert csv_file(sheet, "noms").status_code == 200
            book = load_workbook(BytesIO(xlsx_file([sheet], "noms").data))
            assert book["Noms"]["A2"].data_type == "s"


def test_it_is_reckoned_anew_when_something_was_paid_or_written(place: Place) -> None:
    story(place)
    assert counted(place) is counted(place)
    zoe_pays(place, at(16) + DAY, "2026-11-23pm")
    assert counted(place).totals["half_day"].after == 21
    with place.database.transaction() as session:
        carnets.give_back(session, Decided(STAFF, at(17), "erreur"), "zoe", "2026-11-23pm")
    assert counted(place).totals["half_day"].after == 22


def test_however_many_carnets_there_are_eight_questions_are_asked(place: Place) -> None:
    asked: list[str] = []
    story(place)
    with place.database.reading() as session:
        driver: sqlite3.Connection = session.connection().connection.driver_connection  # type: ignore[assignment]
        driver.set_trace_callback(asked.append)
        report(session, place.publisher.current, date(2026, 1, 1), TODAY)
        driver.set_trace_callback(None)
    assert len([one for one in asked if one.startswith("SELECT")]) == 8


def test_a_list_that_all_carnets_are_on_stands_once(place: Place) -> None:
    client = place.staff()
    assert place.page("/carnets", client).count("Zoé") == 1  # nothing of hers ends
    ending = replace(small_bundle().passes[0], valid_until=date(2026, 12, 31))
    with place.database.transaction() as session:
        import_bundle(session, replace(small_bundle(), passes=(ending,)), DECIDED)
    place.publish()
    said = place.page("/carnets", client)
    assert said.count("Zoé") == 1
    assert "Rien d’autre que la liste « Finissent dans les 60 jours »." in said
