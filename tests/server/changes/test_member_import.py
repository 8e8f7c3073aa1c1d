"""A file of members is looked at line by line, imported whole or not at all, and undone for a day."""

import re
import time
from datetime import date
from html import unescape
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Credential, Member
from policy.facts import Paid
from policy.terms import DAY, HOUR
from server.changes.bundle import put
from server.changes.member_import import plan
from server.changes.member_plan import Kind
from server.changes.purge import purge
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.models import AuditRow, CarnetEntry, MemberImport
from tests.support_pages import STAFF, Place, plain
from tests.support_server import DECIDED
from tests.support_site import BRIGITTE, at

pytestmark = pytest.mark.sqlite

HEAD = "Nom;Prénom;Formule;N° carte;Solde;Fin\n"


def send(place: Place, client: FlaskClient, text: str | bytes, name: str = "adherents.csv") -> tuple[int, str]:
    """Hand over a file: the status, and where it leads or what the page says."""
    content = text.encode() if isinstance(text, str) else text
    data = {"csrf_token": place.form_token(client, "/import"), "file": (BytesIO(content), name)}
    answer = client.post("/import", data=data)
    return answer.status_code, answer.headers.get("Location") or said(answer.text)


def said(text: str) -> str:
    return plain(unescape(text)).replace("\N{NO-BREAK SPACE}", " ")


def preview(place: Place, client: FlaskClient, text: str) -> tuple[str, str]:
    """Where the preview is, and what it says."""
    status, path = send(place, client, text)
    assert status == 303
    return path, said(client.get(f"{path}?view=all").text)


def press(place: Place, client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    """Press a button; the page that it leads to."""
    page = path.rpartition("/")[0] if path.rpartition("/")[2] in ("run", "undo", "answer") else path
    shown = client.get(page).text
    seen = re.search(r'name="seen" value="([^"]+)"', shown)
    sent = {"csrf_token": place.form_token(client, "/import"), "seen": seen[1] if seen else ""} | data
    answer = client.post(path, data=sent)
    page = answer.headers.get("Location", "")
    return answer.status_code, said(client.get(page).text if page else answer.text)


def members(place: Place) -> dict[str, Member]:
    return {one.name: one for one in place.publisher.current.bundle.members}


FILE = HEAD + (
    "Aubry;Jeanne;nomad;04A1B2C3;;31/08/2027\n"
    "Barbier;Noé;carnet;;15;\n"
    "Oudin;Brigitte;nomad;;;31 août 2027\n"
    "QUENTIN;Remy;resident;;;\n"
    "Lopez;Ana;nomade;;;31/08/2027\n"
)


def test_each_line_says_what_it_would_do_and_nothing_is_stored(place: Place) -> None:
    before = place.publisher.current.bundle
    _, page = preview(place, place.staff(), FILE)
    assert "3 lignes sont prêtes, 1 vous attend" in page
    assert "2 nouveaux membres, 1 changement, 1 déjà à jour." in page
    assert "2 Jeanne Aubry nouveau Formule nomad , Dernier jour mar. 31 août 2027 , badge ···B2C3" in page
    assert "3 Noé Barbier nouveau Formule carnet , carnet 15 demi-journées" in page
    assert "4 Brigitte Oudin changé Dernier jour jeu. 31 déc. → mar. 31 août 2027" in page
    assert "5 Rémy Quentin déjà à jour rien" in page
    assert "6 Ana Lopez à corriger Lopez ; Ana ; nomade ;" in page
    assert "La formule « nomade » n’existe pas. Voulez-vous dire nomad ?" in page
    place.publish()
    assert place.publisher.current.bundle == before


def test_imported_whole_audited_and_told_to_the_doors(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, FILE)
    status, page = press(place, client, f"{path}/run")
    assert (status, "3 lignes enregistrées" in page) == (303, True)
    found = members(place)
    assert found["Jeanne Aubry"].valid_until == date(2027, 8, 31)
    assert found["Brigitte Oudin"].valid_until == date(2027, 8, 31)
    assert "Ana Lopez" not in found
    bundle = place.publisher.current.bundle
    assert [one.uid for one in bundle.credentials if one.member == found["Jeanne Aubry"].id] == ["04A1B2C3"]
    assert [one.total for one in bundle.passes if one.member == found["Noé Barbier"].id] == [15]
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.account == STAFF)).all()
        assert {(row.did, row.noun, row.why) for row in rows} == {
            ("added", "member", "import de adherents.csv"),
            ("changed", "member", "import de adherents.csv"),
            ("added", "credential", "import de adherents.csv"),
            ("added", "pass", "import de adherents.csv"),
        }
        assert [row.units for row in session.exec(select(CarnetEntry))] == [15]
    assert press(place, client, f"{path}/run")[0] == 404


def test_the_same_file_again_changes_nothing(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, FILE)
    press(place, client, f"{path}/run")
    assert "0 nouveau membre, 0 changement, 4 déjà à jour." in preview(place, client, FILE)[1]


def test_what_a_formule_means_is_said_once_for_all_lines(place: Place) -> None:
    client = place.staff()
    path, page = preview(place, client, HEAD + "Lopez;Ana;nomade;;;\nPetit;Luc;nomade;;;\nNul;Part;;;;\n")
    assert "0 ligne est prête, 3 vous attendent" in page
    columns = {f"column-{place}": field for place, field in enumerate(("last", "first", "tier", "badge", "", "last"))}
    press(place, client, path, **columns, called=["nomade", ""], tier=["nomad", "resident"])
    page = said(client.get(f"{path}?view=all").text)
    assert "3 nouveaux membres" in page
    assert "4 Part Nul nouveau Formule resident" in page
    assert "Fin → pas reprise" in page


def test_a_badge_that_somebody_has_or_a_phones_is_left_out_when_one_says_so(place: Place) -> None:
    client = place.staff()
    taken = BRIGITTE.hex()
    path, page = preview(
        place, client, HEAD + f"Besson;Clara;nomad;{taken};;\nPetit;Luc;nomad;08F3419C;;\nX;Y;nomad;zz;;\n"
    )
    assert "Est-ce Brigitte Oudin, qui a déjà ce badge ?" in page
    assert "Ce numéro vient d’un téléphone" in page
    assert "« zz » n’est pas le numéro d’un badge" in page
    for line in "234":
        press(place, client, f"{path}/answer", line=line, answer="no_badge")
    press(place, client, f"{path}/run")
    assert {"Clara Besson", "Luc Petit", "Y X"} < set(members(place))
    new = [members(place)[name].id for name in ("Clara Besson", "Luc Petit", "Y X")]
    assert not [one for one in place.publisher.current.bundle.credentials if one.member in new]


def test_a_number_in_decimal_digits_is_never_guessed(place: Place) -> None:
    client = place.staff()
    path, page = preview(place, client, HEAD + "Petit;Luc;nomad;0077652679;;\n")
    assert "Ce numéro est en chiffres décimaux." in page
    press(place, client, f"{path}/answer", line="2", answer="uid:DEADBEEF")
    assert "1 ligne est prête" not in said(client.get(path).text)
    press(place, client, f"{path}/answer", line="2", answer="uid:04A0E2C7")
    assert "badge ···E2C7" in said(client.get(f"{path}?view=all").text)


def test_two_of_one_name_are_told_apart_and_left_to_a_person(place: Place) -> None:
    with place.database.transaction() as session:
        put(session, [Member("remy2", "Rémy Quentin", "nomad"), Credential("04AA0001", "remy2")], DECIDED)
    place.publish()
    client = place.staff()
    path, page = preview(place, client, HEAD + "Quentin;Rémy;;;;30/06/2027\n")
    assert "Plusieurs membres s’appellent ainsi. Lequel est-ce ?" in page
    assert "nomad, ···0001" in page
    press(place, client, f"{path}/answer", line="2", answer="is:remy2")
    press(place, client, f"{path}/run")
    ends = {one.id: one.valid_until for one in place.publisher.current.bundle.members}
    assert (ends["remy"], ends["remy2"]) == (None, date(2027, 6, 30))


@pytest.mark.parametrize(("answer", "total"), [("keep", [15]), ("add", [15, 7])])
def test_a_carnet_that_says_otherwise_is_left_to_a_person(place: Place, answer: str, total: list[int]) -> None:
    client = place.staff()
    path, page = preview(place, client, HEAD + "Wibaux;Zoe;;;20;\n")
    assert "Il lui reste 13 ici, 20 dans le fichier." in page
    press(place, client, f"{path}/answer", line="2", answer=answer)
    press(place, client, f"{path}/run")
    assert [one.total for one in place.publisher.current.bundle.passes if one.member == "zoe"] == total


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("=1+1;Luc;nomad;;;", "1+1 à corriger"),
        ('"=HYPERLINK(""x"")";;nomad;;;', "commence comme une formule"),
        ("@x;;nomad;;;", "commence comme une formule"),
        (f"{'a' * 10_000};;nomad;;;", "Un nom a de 1 à 200 signes"),
        (";;nomad;;;", "Un nom a de 1 à 200 signes"),
        ("a\u202eb;;nomad;;;", "Un nom a de 1 à 200 signes"),
        ("Petit;Luc;nomad;;;31/13/2027", "« 31/13/2027 » n’est pas un jour"),
        ("Petit;Luc;nomad;;;31/12/0001", "l’année n’est pas la bonne"),
        ("Petit;Luc;carnet;;douze;", "« douze » n’est pas un nombre d’unités"),
        ("Petit;Luc;nomad;;;;de trop", "une case de trop"),
        ("Petit;Luc;nomad;;;\nPETIT;luc;nomad;;;", "est déjà à la ligne 2"),
        ("Petit;Luc;nomad;04A1B2C3;;\nGrand;Léa;nomad;04:a1:b2:c3;;", "est déjà à la ligne 2"),
    ],
)
def test_what_cannot_come_in_says_why_and_nothing_breaks(place: Place, line: str, words: str) -> None:
    client = place.staff()
    path, page = preview(place, client, HEAD + line + "\n")
    assert words in page or line.startswith("=1")
    assert press(place, client, f"{path}/run")[0] in (303, 409)
    assert not [name for name in members(place) if name.startswith(("=", "@", "a"))]


def test_all_that_is_wrong_with_a_line_is_said_at_once(place: Place) -> None:
    client = place.staff()
    path, page = preview(place, client, HEAD + "=1+1;Luc;nomade;xyz;;31/13/2027\nOudin;Brigitte;;08F3419C;douze;\n")
    words = (
        "La formule « nomade » n’existe pas. Voulez-vous dire nomad ?",
        "« xyz » n’est pas le numéro d’un badge",
        "« 31/13/2027 » n’est pas un jour",
        "Ce numéro vient d’un téléphone",
    )
    assert [said for said in words if said not in page] == []
    assert "Sans badge" in page, "what is asked alone has its presses"
    marked = re.findall(r"<mark>(.*?)</mark>", client.get(f"{path}?view=all").text)
    assert marked == ["nomade", "xyz", "31/13/2027", "08F3419C"]
    rows = client.get(f"{path}/left").data.decode("utf-8-sig").splitlines()
    assert all(said in rows[1].replace("\N{NO-BREAK SPACE}", " ") for said in words[:3])
    columns = {
        f"column-{n}": field for n, field in enumerate(("last", "first", "tier", "badge", "carnet", "valid_until"))
    }
    press(place, client, path, **columns, called=["nomade"], tier=["carnet"])
    assert "« xyz »" in said(client.get(f"{path}?view=all").text)


def test_what_is_left_aside_comes_back_with_the_reason_in_its_last_column(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, FILE)
    press(place, client, f"{path}/answer", line="2", answer="leave")
    rows = client.get(f"{path}/left").data.decode("utf-8-sig").splitlines()
    assert rows[0] == "Nom;Prénom;Formule;N° carte;Solde;Fin;Raison"
    assert [row.split(";")[0] for row in rows[1:]] == ["Aubry", "Lopez"]
    assert rows[1].endswith(";Laissée de côté.")
    press(place, client, f"{path}/run")
    assert client.get(f"{path}/left").data.decode("utf-8-sig").splitlines() == rows


def test_who_would_get_in_no_more_tonight_is_named(place: Place) -> None:
    place.now = at(12)
    _, page = preview(place, place.staff(), HEAD + "Oudin;Brigitte;;;;23/11/2026\nQuentin;Rémy;;;;31/12/2027\n")
    assert "Qui n’entrerait plus ce soir Brigitte Oudin" in page


def test_what_changed_since_it_was_shown_is_shown_again(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, HEAD + "Quentin;Rémy;nomad;;;\n")
    shown = client.get(path).text
    seen = re.search(r'name="seen" value="([^"]+)"', shown)
    assert seen is not None
    with place.database.transaction() as session:
        put(session, [replace(members(place)["Rémy Quentin"], tier="carnet")], DECIDED)
    place.publish()
    data = {"csrf_token": place.form_token(client, "/import"), "seen": seen[1]}
    answer = client.post(f"{path}/run", data=data)
    assert (answer.status_code, "la situation a changé" in said(answer.text)) == (409, True)
    assert "Formule carnet → nomad" in said(answer.text)


def test_an_entry_of_somebody_who_is_not_imported_hinders_no_import(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, HEAD + "Quentin;Rémy;nomad;;;\nWibaux;Zoé;;;13;\n")
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(path).text)
    assert seen is not None
    with place.database.transaction() as session:
        store(session, [Paid("zoe", "2026-11-24am")], ToldBy("front", moment(at(19))))
    assert "Il lui reste 12 ici, 13 dans le fichier." in said(client.get(path).text)
    status, page = press(place, client, f"{path}/run", seen=seen[1])
    assert (status, "1 ligne enregistrée" in page) == (303, True)
    assert members(place)["Rémy Quentin"].tier == "nomad"


def test_undone_within_a_day_but_what_was_changed_since_stays(place: Place) -> None:
    client, before = place.staff(), place.publisher.current.bundle
    path, _ = preview(place, client, FILE)
    press(place, client, f"{path}/run")
    with place.database.transaction() as session:
        put(session, [replace(members(place)["Noé Barbier"], name="Noé B.")], DECIDED)
    place.publish()
    status, page = press(place, client, f"{path}/undo")
    assert (status, "Import annulé" in page, "restés tels quels : Noé Barbier" in page) == (200, True, True)
    after = place.publisher.current.bundle
    assert {one.name for one in after.members} == {*(one.name for one in before.members), "Noé B."}
    assert members(place)["Brigitte Oudin"].valid_until == date(2026, 12, 31)
    assert after.credentials == before.credentials
    assert press(place, client, f"{path}/undo")[0] == 404


def test_who_left_the_page_finds_what_waits_and_what_can_still_be_undone(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, FILE)
    assert "adherents.csv mar. 24 nov., 19 h 12 · rien n’est encore enregistré" in said(client.get("/import").text)
    press(place, client, f"{path}/run")
    first = client.get("/import").text
    assert (f'href="{path}"' in first, "s’annule encore" in said(first)) == (True, True)
    press(place, client, f"{path}/undo")
    assert "adherents.csv" not in client.get("/import").text


def test_after_a_day_an_import_stays_and_a_file_is_forgotten(place: Place) -> None:
    client = place.staff()
    path, _ = preview(place, client, FILE)
    press(place, client, f"{path}/run")
    waiting, _ = preview(place, client, HEAD + "Petit;Luc;nomad;;;\n")
    place.now += DAY + HOUR
    client = place.staff()
    assert press(place, client, f"{path}/undo")[0] == 404
    assert "adherents.csv" not in client.get("/import").text
    with place.database.transaction() as session:
        assert purge(session, place.now, 90) == "2 older rows"
        assert session.exec(select(MemberImport)).all() == []
    assert client.get(waiting).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Ce fichier est vide."),
        (b"%PDF\x00", "n’est pas un tableau"),
        (b"Titre;Auteur\n", "n’a pas de colonne « nom ». Colonnes trouvées : Titre, Auteur."),
        (b"nom\n" + b"a\n" * 50_000, "a plus de 20000 lignes"),
    ],
)
def test_what_is_no_file_of_members_is_said_at_once(place: Place, content: bytes, words: str) -> None:
    status, page = send(place, place.staff(), content)
    assert (status, words in page) == (400, True)


def test_a_file_may_be_large_for_those_who_import_and_for_nobody_else(place: Place) -> None:
    content = HEAD.encode() + b"\n" * (100 << 10)
    assert send(place, place.staff(), content)[0] == 303
    assert place.client.post("/import", data={"file": (BytesIO(content), "x")}).status_code in (303, 413)
    client = place.staff()
    token = place.form_token(client, "/new-member")
    assert client.post("/new-member", data={"csrf_token": token, "name": "a" * (100 << 10)}).status_code == 413


def test_five_thousand_lines_are_read_in_no_time(place: Place) -> None:
    """By the processor's time, which no neighbour lengthens as it does the clock's."""
    rows = [(n, (f"Nom{n}", "Prénom", "nomad", f"04{n:06X}", "", "31/08/2027")) for n in range(2, 5002)]
    columns = {"0": "last", "1": "first", "2": "tier", "3": "badge", "4": "carnet", "5": "valid_until"}
    kept = MemberImport(id="x", at=DECIDED.at, by="", name="", form="", headings=[""] * 6, lines=rows, columns=columns,
                        tiers={}, answers={}, undo=[])  # fmt: skip
    started = time.process_time()
    with place.database.reading() as session:
        lines = plan(session, place.publisher.current, kept, at(12))
    assert time.process_time() - started < 3
    assert {line.kind for line in lines} == {Kind.NEW}
