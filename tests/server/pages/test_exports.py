"""All members leave as a file for a reason that is noted; the whole site goes out and in as it was."""

import re
from io import BytesIO

import msgspec
import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from openpyxl import load_workbook
from sqlmodel import select

from policy.bundle import Bundle
from server.changes.bundle import put
from server.models import AuditRow
from tests.server.changes.test_member_changes import only_staff
from tests.server.changes.test_member_import import preview, said
from tests.support_pages import STAFF, Place
from tests.support_server import DECIDED, small_bundle, whole_bundle

pytestmark = pytest.mark.sqlite


def post(place: Place, client: FlaskClient, path: str, **data: object) -> tuple[int, bytes]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/export")} | data)
    return answer.status_code, answer.data


def audited(place: Place) -> list[tuple[str, str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.did == "looked")).all()
        return [(row.account, row.noun, row.subject, row.why) for row in rows]


def test_members_leave_for_a_reason_that_is_noted(place: Place) -> None:
    client = place.staff()
    status, body = post(place, client, "/export/members", why=" ", format="csv")
    assert (status, "Écrivez pourquoi" in body.decode(), audited(place)) == (400, True, [])
    status, body = post(place, client, "/export/members", why="rapport annuel", format="csv")
    lines = body.decode("utf-8-sig").splitlines()
    assert (status, lines[0]) == (200, "Nom complet;Formule;Début;Fin;Carnet;Rôles;État;Fin de badge")
    assert "Zoé Wibaux;carnet;;;13;;accès suspendu;" in lines
    assert "Brigitte Oudin;nomad;;31/12/2026;;;actif;" in lines
    assert audited(place) == [(STAFF, "export", "*", "rapport annuel")]
    book = load_workbook(BytesIO(post(place, client, "/export/members", why="rapport", format="xlsx")[1]))
    assert book["Membres"].max_row == len(lines)


def test_what_was_exported_comes_in_again_as_unchanged(place: Place) -> None:
    client = place.staff()
    _, body = post(place, client, "/export/members", why="aller et retour", format="csv")
    count = len(place.publisher.current.bundle.members)
    _, page = preview(place, client, body.decode())
    assert f"0 nouveau membre, 0 changement, {count} déjà à jour." in page
    _, body = post(place, client, "/export/members", why="aller et retour", format="xlsx")
    data = {"csrf_token": place.form_token(client, "/import"), "file": (BytesIO(body), "m.xlsx")}
    assert f"{count} déjà à jour." in said(client.get(client.post("/import", data=data).headers["Location"]).text)


def test_the_bundle_goes_out_whole_and_comes_in_again(place: Place) -> None:
    client, before = place.staff(), place.publisher.current.bundle
    status, body = post(place, client, "/export/bundle")
    assert (status, msgspec.json.decode(body, type=Bundle)) == (200, before)
    assert audited(place) == [(STAFF, "bundle", "*", "")]
    with place.database.transaction() as session:
        put(session, [replace(before.members[-1], name="Zoé B.")], DECIDED)
    place.publish()
    status, page = post(place, client, "/bundle", file=(BytesIO(body), "bundle.json"))
    assert (status, "0 nouveaux, 1 changés, 0 finis." in said(page.decode())) == (200, True)
    assert place.publisher.current.bundle == before


def test_what_a_bundle_would_end_is_named_before_anything_ends(place: Place) -> None:
    client, small = place.staff(), msgspec.json.encode(replace(small_bundle(), passes=()))
    status, page = post(place, client, "/bundle", file=(BytesIO(small), "b.json"))
    assert (status, "passes: c1" in said(page.decode())) == (409, True)
    assert place.publisher.current.bundle.passes
    status, page = post(place, client, "/bundle", file=(BytesIO(small), "b.json"), agreed="1")
    assert (status, "1 finis." in said(page.decode())) == (200, True)
    assert not place.publisher.current.bundle.passes


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "loquet.bundle/1", "sites": {}}'])
def test_what_is_no_bundle_says_so_and_changes_nothing(place: Place, content: bytes) -> None:
    before = place.publisher.current.bundle
    status, page = post(place, place.staff(), "/bundle", file=(BytesIO(content), "b.json"))
    assert (status, "Rien n’est importé" in said(page.decode())) == (400, True)
    assert place.publisher.current.bundle == before


def test_the_team_sees_no_bundle_and_an_old_session_brings_none_in(place: Place) -> None:
    client = place.staff()
    with place.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE account_session SET confirmed = '2020-01-01 00:00:00.000000'")
    whole = msgspec.json.encode(whole_bundle())
    assert post(place, client, "/bundle", file=(BytesIO(whole), "b.json"), agreed="1")[0] == 403
    assert post(place, client, "/export/bundle")[0] == 403
    assert place.publisher.current.bundle.machines == ()
    assert re.search(r"Reprendre un bundle…", client.get("/export").text)
    client = only_staff(place)
    assert "bundle" not in client.get("/export").text
    assert post(place, client, "/bundle", file=(BytesIO(whole), "b.json"))[0] == 403
