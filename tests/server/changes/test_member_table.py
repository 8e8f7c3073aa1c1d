"""Files of members as the programs of French associations and spreadsheets write them, and what is no such file."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import Workbook

from server.changes.member_table import MOST_BYTES, MOST_LINES, NotATableError, day, meanings, table

HELLOASSO = (
    "Référence commande;Date de la commande;Statut de la commande;Nom adhérent;Prénom adhérent;Nom payeur;"
    "Prénom payeur;Email payeur;Tarif;Montant tarif\r\n"
    '123;16/11/2025 21:34;Validé;"Garnier";Émile;Autre;Parent;p@example.org;nomade;45,00\r\n'
)
GALETTE = (
    '"Nom :";"Prénom :";"Statut :";"Date de création :";"Date d’échéance :"\r\n'
    '"Garnier";"Émile";"Actif";"01/09/2025";"31/08/2027"\r\n'
)
DOLIBARR = "Lastname*,Firstname,a.datec,a.datefin\n Garnier,Émile,2025-09-01,2027-08-31\n"
PAHEKO = 'Numéro de membre,"Nom & prénom",Catégorie,"Date d\'inscription"\n7,"Émile Garnier",nomade,01/09/2025\n'
COBOT = "Name,Email,Plan,Membership start\nÉmile Garnier,e@example.org,nomade,2025-09-01\n"


def fields(content: bytes) -> dict[str, str]:
    """What the first line says."""
    found = table(content)
    number, cells = found.lines[0]
    assert number >= 2
    return {field: cells[place].strip() for place, field in meanings(found.headings).items()}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (HELLOASSO, {"last": "Garnier", "first": "Émile", "tier": "nomade"}),
        (GALETTE, {"last": "Garnier", "first": "Émile", "valid_from": "01/09/2025", "valid_until": "31/08/2027"}),
        (DOLIBARR, {"last": "Garnier", "first": "Émile", "valid_from": "2025-09-01", "valid_until": "2027-08-31"}),
        (PAHEKO, {"full": "Émile Garnier", "tier": "nomade", "valid_from": "01/09/2025"}),
        (COBOT, {"full": "Émile Garnier", "tier": "nomade", "valid_from": "2025-09-01"}),
    ],
)
def test_files_as_others_write_them(written: str, said: dict[str, str]) -> None:
    assert fields(written.encode()) == said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_in_any_dress_of_csv(encoding: str, separator: str, quote: str, end: str) -> None:
    rows = [["Nom", "Prénom", "Formule"], ["Garnier", "Émile", "l’œil à 5 €"]]
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows) + end
    assert fields(text.encode(encoding)) == {"last": "Garnier", "first": "Émile", "tier": "l’œil à 5 €"}


def test_a_separator_and_a_line_end_within_quotes_are_text() -> None:
    assert fields('Nom;Formule\n"Garnier; père";"deux\nlignes"\n'.encode()) == {
        "last": "Garnier; père",
        "tier": "deux\nlignes",
    }


def xlsx(*rows: list[object]) -> bytes:
    book, target = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(target)
    return target.getvalue()


def test_a_spreadsheet_with_a_title_above_and_days_as_days() -> None:
    content = xlsx(["Adhérents 2026"], [], ["Nom", "N° carte", "Fin"], ["Garnier", 51096621, date(2027, 8, 31)])
    assert fields(content) == {"last": "Garnier", "badge": "51096621", "valid_until": "31/08/2027"}


@pytest.mark.parametrize(
    ("content", "why", "found"),
    [
        (b"", "empty", ()),
        (b"\n\n;;\n", "empty", ()),
        (b"%PDF-1.7\n\x00\x01\x02", "binary", ()),
        (b"PK\x03\x04 not a spreadsheet", "binary", ()),
        ("Titre;Auteur\nLes Misérables;Hugo\n".encode(), "names", ("Titre", "Auteur")),
        (b"nom\n" + b"a\n" * (MOST_LINES + 1), "long", ()),
        (b"nom\n" + b";".join([b"a"] * 101), "wide", ()),
        (b'nom\n"' + b"a" * 200_000, "broken", ("2",)),
        (b"a" * (MOST_BYTES + 1), "large", ()),
    ],
)
def test_what_is_no_table_of_members_is_named(content: bytes, why: str, found: tuple[str, ...]) -> None:
    with pytest.raises(NotATableError) as refused:
        table(content)
    assert (refused.value.why, refused.value.found) == (why, found)


@pytest.mark.parametrize(
    "written", ["31/12/2026", "31.12.2026", "31-12-2026", "2026-12-31", "31 déc. 2026", "31 décembre 2026",
                "31/12/2026 18:23:13", "2026-12-31T00:00:00", " 31/12/2026 "],
)  # fmt: skip
def test_a_day_as_people_write_it(written: str) -> None:
    assert day(written) == date(2026, 12, 31)


@pytest.mark.parametrize("written", ["31/13/2026", "demain", "12/31/2026", "31/12", "31 foo 2026", "46387"])
def test_what_is_no_day(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        day(written)


def test_nothing_is_no_day() -> None:
    assert (day(""), day("1er févr. 2027")) == (None, date(2027, 2, 1))


def test_what_would_block_or_unblock_is_never_read() -> None:
    assert meanings(["Statut", "Statut de la commande", "Rôle", "Email", "Montant"]) == {}
