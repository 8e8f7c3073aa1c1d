"""Nos chiffres clés: a year on one sheet. Nobody can be singled out, and what is not known is said, and not 0."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from policy.bundle import Event, Member
from policy.reasons import Reason
from policy.terms import DAY
from server.audit import Decided
from server.changes.bundle import put
from server.changes.guests import agree, note_day
from server.database.types import moment
from server.models import BankEntry, CountKept, MachineSession
from server.queries.counts import What
from tests.server.changes.test_purge import KEPT, forget
from tests.support_pages import Place
from tests.support_server import statements
from tests.support_site import at

pytestmark = pytest.mark.sqlite
YEAR = "/chiffres?from=2026-09"


@pytest.fixture
def lived(place: Place) -> Place:
    """Four people on a Tuesday, an evening held and one left, a session, three guests, two public events."""
    decided = Decided("test", place.now)
    with place.database.transaction() as session:
        put(session, [Member(id=who, name=who, tier="nomad") for who in ("luc", "mia")], decided)
        hours = {"start": "2026-11-24T10:00", "end": "2026-11-24T11:00", "audience": "public"}
        put(session, [Event(id=f"e{one}", title="Causerie", **hours) for one in range(2)], decided)
        put(session, [Event(id="own", title="Anniversaire de Luc", **hours | {"audience": "members"})], decided)
        used = {
            "machine": "cnc",
            "member": "remy",
            "kind": "cnc",
            "cuts": True,
            "edge": "front",
            "heard": moment(at(9)),
        }
        session.add(MachineSession(**used, started=moment(at(10)), ended=moment(at(13))))
        which = agree(session, decided, "La Tréso", 10)
        for who in ("Anna", "Béa", "Cid"):
            note_day(session, decided, which, who, date(2026, 11, 24))
        paid = {"member": "gregoire", "source": ["unit", "u"], "inside": []}
        session.add(BankEntry(at=moment(at(21)), minutes=240, from_account="minted", to_account="used", **paid))
    place.publisher.publish()
    for number, who in enumerate(("brigitte", "luc", "mia")):
        place.journal.enters(at(14, number), who)
        place.journal.leaves(at(17, number), who)
        place.journal.tap_in(at(23, number), who, Reason.OUTSIDE_HOURS, granted=False)
    place.journal.leaves(at(22, 3), "gregoire")
    place.now = at(23) + 6 * DAY
    place.tell()
    return place


def test_a_year_on_one_sheet_and_the_same_when_its_names_are_gone(lived: Place) -> None:
    before = lived.page(YEAR, lived.staff())
    for said in (
        "1er sept. 2026 – 30 nov. 2026",
        "visites de membres 7",
        "6 personnes différentes par mois en moyenne",
        "places prises les après-midi 5 sur 100 3 le matin, 5 le soir",
        "tenues par les gardiens 4 h 4 h de coworking rendues",
        "soirées tenues 1 sur 2 0 sans gardien, 1 où personne n’est venu tenir",
        "personnes venues pour rien 3",
        "de machines 3 h",
        "toutes les machines 3 h",
        "journées d’invités 3",
        "novembre 2026 7",
        "octobre 2026 pas compté",
        "les autres 7 –",
        "La Tréso 3",
        "Causerie 2 les autres événements 1",
        "Compté depuis le 24 nov. 2026 : ce qui était avant n’est pas connu.",
        "depuis sept.",
    ):
        assert said in before, said
    assert "l’année d’avant" not in before, "of a year that nobody counted there is no comparison"
    assert all(name not in before for name in ("Luc", "Brigitte", "Anna"))
    forget(lived.database, at(12) + (6 + KEPT) * DAY, KEPT)
    assert lived.page(YEAR, lived.staff()) == before


def test_where_nothing_is_named_what_is_counted_is_all_of_it_and_no_rest(place: Place) -> None:
    hours = {"start": "2026-11-24T19:00", "end": "2026-11-24T21:00", "audience": "members"}
    with place.database.transaction() as session:
        put(session, [Event(id="talk", title="Causerie", **hours)], Decided("test", place.now))
    place.publisher.publish()
    place.now = at(12) + 6 * DAY
    page = place.page(YEAR, place.staff())
    assert "tous les événements 1" in page
    assert "les autres événements" not in page


def test_a_machine_is_named_once_several_people_used_it(place: Place) -> None:
    used = [("cnc", 3, 7200), ("laser", 2, 3600), ("printer", 4, 7000)]
    november = date(2026, 11, 1)
    sums = [(november, What.USERS, one, people) for one, people, _ in used]
    write(place, *counted(november, 40, 9), *sums, *((november, What.MACHINE, one, ran) for one, _, ran in used))
    place.now = at(12) + 40 * DAY
    page = place.page(YEAR, place.staff())
    assert "printer 2 h" in page
    assert "les autres machines 3 h" in page, "two people are too few, and three who would give them away join them"


def write(place: Place, *counts: tuple[date, What, str, int]) -> None:
    with place.database.transaction() as session:
        session.add_all(CountKept(month=month, what=what, of=of, count=count) for month, what, of, count in counts)


def counted(month: date, visits: int, people: int) -> list[tuple[date, What, str, int]]:
    """A month that is over, with one tier."""
    days = [(month, What.FIRST, "", 1), (month, What.LAST, "", 30)]
    return [*days, (month, What.VISITS, "", visits), (month, What.PEOPLE, "", people)]


def test_the_year_before_stands_beside_it_and_who_came_alone_in_no_sum(place: Place) -> None:
    last = [counted(date(2025 + (month < 9), month, 1), 1000, 50) for month in (*range(9, 13), *range(1, 9))]
    write(place, *(one for month in last for one in month), *counted(date(2026, 9, 1), 40, 9))
    write(place, *counted(date(2026, 10, 1), 21, 2))
    page = place.page(YEAR, place.staff())
    assert "visites de membres 45 12 000 l’année d’avant" in page
    assert "septembre 2026 40 octobre 2026 moins de 3 novembre 2026 5 décembre 2026" in page
    assert "les autres 45" in page
    file = place.staff().get("/chiffres/file?from=2026-09").text
    assert [line.split(";")[:3] for line in file.splitlines()[1:]] == [
        ["septembre 2026", "40", "9"],
        ["octobre 2026", "moins de 3", "moins de 3"],
        ["novembre 2026", "5", "4"],
        ["Ensemble", "45", "5"],
        ["2025-2026", "12000", "50"],
    ]


def test_of_a_year_before_anything_was_counted_nothing_is_asked(lived: Place) -> None:
    """The sheet would not show it. And when the first row was is asked once."""
    accueil = lived.staff()
    with statements(lived.database) as asked:
        assert accueil.get(YEAR).status_code == 200
    assert sum("min(journal_row.at)" in sql for sql, _ in asked) == 1
    assert not [told for _, told in asked if "2025-" in str(told)]


def test_what_is_not_known_is_said_and_not_shown_as_nothing(place: Place) -> None:
    page = place.page("/chiffres?from=2024-01", place.staff())
    assert "Rien n’est compté de cette année" in page
    assert "visites de membres – membres le 31 déc. 2024 – personnes différentes par mois : pas connu" in page
    assert "places prises les après-midi – pas connu" in page
    for wrong in ("nonsense", "2024-13", "9999-01", ""):
        assert "1er sept. 2026" in place.page(f"/chiffres?from={wrong}", place.staff())


def test_all_of_it_for_a_spreadsheet(lived: Place) -> None:
    book = load_workbook(BytesIO(lived.staff().get("/chiffres/file?from=2026-09&format=xlsx").data))
    assert book.sheetnames == ["Chiffres", "Mois par mois", "Qui vient", "Ce qui s’y passe", "À savoir"]
    rows = {str(row[0].value): [cell.value for cell in row[1:]] for row in book["Mois par mois"].rows}
    assert rows["novembre 2026"] == [7, 6, 52, 4, 1, 1, 0, 3, None, None]
    assert rows["Ensemble"] == [7, 6, 52, 4, 1, 1, 0, 3, 3, 3]
    assert rows["octobre 2026"][0] == "pas compté"


def test_a_figure_of_words_is_set_smaller_and_stays_on_its_sheet(place: Place) -> None:
    with place.database.transaction() as session:
        decided = Decided("test", place.now)
        note_day(session, decided, agree(session, decided, "La Tréso", 10), "Anna", date(2026, 11, 24))
    html = place.staff().get(YEAR).text
    assert '<dd class="big words">moins de 3</dd>' in html
    assert '<dd class="big">0</dd>' in html
