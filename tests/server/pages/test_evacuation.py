"""Who is inside, to be called over: everybody by name and how they are known, ticks that stay, an end that is one."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from sqlmodel import select

from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server.errors import FullError
from server.models import AuditRow, JournalRow, Presence, Visitor
from tests.server.pages.test_door_pages import pressed
from tests.support_accounts import account_of
from tests.support_pages import Place
from tests.support_site import at
from wire.row import Kind, Order

pytestmark = pytest.mark.sqlite


def names(html: str) -> list[str]:
    return re.findall(r'<span class="nm">(?:<b>\d+</b> · )?([^<]+)', html)


def test_everybody_is_named_in_full_by_surname_and_how_it_is_known(place: Place) -> None:
    place.journal.tap_in(at(18, 40), "remy", Reason.ALWAYS, granted=False)
    place.tell()
    client = account_of(place, "gregoire")
    html = client.get("/evacuation").text
    assert names(html) == ["Oudin Brigitte", "Quentin Rémy", "Vasseur Grégoire"]
    seen = place.page("/evacuation", client)
    assert "3 personnes dedans" in seen
    assert "Quentin Rémy entrée à 9 h 30 dernier signe à 18 h 40" in seen
    assert "entrée à 18 h 04" in seen


def test_a_gardien_sees_it_at_any_time_and_a_member_never(place: Place) -> None:
    place.journal.leaves(at(19), "gregoire")
    place.tell()
    assert account_of(place, "gregoire").get("/evacuation").status_code == 200
    assert account_of(place, "remy").get("/evacuation").status_code == 403


def test_a_gardien_who_does_not_hold_the_place_ends_a_drill_and_no_evacuation(place: Place) -> None:
    place.journal.leaves(at(19), "gregoire")
    place.tell()
    client = account_of(place, "gregoire")
    html = client.get("/evacuation").text
    assert "Tout le monde est sorti…" not in html, "a press that is always refused"
    assert "ou le gardien qui tient le lieu, dit que tout le monde est sorti." in html
    assert "le gardien qui tient le lieu" in pressed(place, client, "/evacuation/end", sure="1")
    assert "2 personnes dedans" in place.page("/evacuation", client)
    assert "le gardien qui tient le lieu" not in pressed(place, client, "/evacuation/end", exercise="1")


def test_who_looked_is_written_down_and_a_full_disk_hides_nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    staff = place.staff()
    place.page("/evacuation", staff)
    with place.database.reading() as session:
        seen = session.exec(select(AuditRow).where(AuditRow.did == "looked", AuditRow.noun == "evacuation")).all()
    assert sorted(row.subject for row in seen) == ["brigitte", "gregoire", "remy"]
    place.page("/evacuation", staff)
    place.now += HOUR
    place.page("/evacuation", staff)
    with place.database.reading() as session:
        seen = session.exec(select(AuditRow).where(AuditRow.did == "looked", AuditRow.noun == "evacuation")).all()
    assert len(seen) == 6, "once an hour is enough"

    def full(*_: object, **_named: object) -> None:
        raise FullError("the disk is full: make room")

    monkeypatch.setattr("server.pages.evacuation.looked", full)
    assert "3 personnes dedans" in place.page("/evacuation", staff)


def test_it_is_one_file_without_scripts(place: Place) -> None:
    staff = place.staff()
    for path in ("/evacuation", "/evacuation/file"):
        answer = staff.get(path)
        assert "<script" not in answer.text
        assert "<link" not in answer.text
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        own = b64encode(sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{own}'" in answer.headers["Content-Security-Policy"]
    kept = staff.get("/evacuation/file")
    assert kept.headers["Content-Disposition"] == 'attachment; filename="evacuation.html"'
    assert "csrf_token" not in kept.text
    assert "Tout le monde est sorti" not in kept.text, "a press that could do nothing"


def test_doors_that_are_silent_or_stood_unlocked_are_told(place: Place) -> None:
    staff = place.staff()
    assert "front : jamais entendue." in place.page("/evacuation", staff)
    place.speak()
    assert "front :" not in place.page("/evacuation", staff)
    place.now += 121_000
    assert "front : sans nouvelles depuis 19 h 12." in place.page("/evacuation", staff)
    unlock = {"nonce": "n", "order": Order.UNLOCK, "granted": True, "until": "2026-11-24T18:30:00.000Z"}
    place.journal.add(at(19, 13), Kind.COMMAND, **unlock)
    place.tell()
    assert "front : tenue ouverte à partir de 19 h 13, jusqu’à 19 h 30 au plus tard." in place.page(
        "/evacuation", staff
    )


def test_who_left_without_a_tap_of_their_own_is_to_be_checked(place: Place) -> None:
    staff = place.staff()
    assert "À vérifier" not in place.page("/evacuation", staff)
    pressed(place, staff, "/presence/brigitte/left", at="18:30", why="oubli")
    seen = place.page("/evacuation", staff)
    assert "2 personnes dedans" in seen
    assert "À vérifier · 1" in seen
    assert "Oudin Brigitte départ noté à 18 h 30" in seen
    ticked = staff.get("/evacuation?found=d:brigitte").text
    assert 'value="d:brigitte" class="uncounted" checked' in ticked
    assert ".roll input:not(.uncounted):checked { counter-increment: found; }" in ticked
    place.now = at(19, 12) + DAY // 2
    seen = place.page("/evacuation", staff)
    assert "0, d’après les portes" in seen
    assert "Quentin Rémy" not in seen.partition("À vérifier")[0]
    assert "Vasseur Grégoire entrée hier à 18 h 04, aucune sortie depuis" in seen
    place.now = at(19, 12) + DAY
    assert "À vérifier" not in place.page("/evacuation", staff)


def test_groups_and_visitors_are_written_down_counted_and_leave(place: Place) -> None:
    staff = place.staff()
    seen = pressed(
        place, staff, "/evacuation/visitors", name="Atelier robots", people="7", more="1er étage", found="m:remy"
    )
    assert "10 personnes dedans" in seen
    assert "7 · Atelier robots 1er étage" in seen
    html = staff.get("/evacuation?found=m:remy").text
    assert 'value="m:remy" checked' in html, "ticks stay"
    assert "input[name].n7:checked { counter-increment: found 7; }" in html
    assert "3 personnes dedans" in pressed(place, staff, "/evacuation/visitors/1/gone")
    pressed(place, staff, "/evacuation/visitors", name="Plombier")
    assert "4 personnes dedans" in place.page("/evacuation", staff)
    place.now += DAY
    assert "Plombier" not in place.page("/evacuation", staff), "nobody stays past the end of the site day"


@pytest.mark.parametrize(
    "form", [{"name": " "}, {"name": "x" * 201}, {"name": "x", "people": "0"}, {"name": "x", "people": "many"}]
)
def test_a_visitor_needs_a_name_and_a_number(place: Place, form: dict[str, str]) -> None:
    assert "Écrivez qui c’est" in pressed(place, place.staff(), "/evacuation/visitors", **form)
    with place.database.reading() as session:
        assert session.exec(select(Visitor)).all() == []


def test_what_was_written_about_a_visitor_who_is_refused_stays(place: Place) -> None:
    staff = place.staff()
    form = {"name": "Scouts", "people": "600", "more": "grande salle"}
    token = place.form_token(staff, "/account")
    html = staff.post("/evacuation/visitors", data={"csrf_token": token, **form}).text
    assert [key for key in form if f'value="{form[key]}"' not in html] == []
    assert 'value="Scouts"' not in staff.get("/evacuation").text


def test_how_to_print_is_not_printed(place: Place) -> None:
    (how,) = re.findall(r'<p class="([^"]*)">[^<]*Pour imprimer', place.staff().get("/evacuation").text)
    assert "screen" in how.split()


def test_an_exercise_changes_nothing_and_says_the_line_for_the_register(place: Place) -> None:
    said = pressed(place, account_of(place, "gregoire"), "/evacuation/end", exercise="1", found="m:remy")
    assert "Exercice d’évacuation · Mardi 24 novembre 2026, 19 h 12 · Casaco, Malakoff · 3 personnes" in said
    assert "manquaient : 2 · mené par Grégoire Vasseur" in said
    assert "Manquaient : Oudin Brigitte, Vasseur Grégoire" in said
    with place.database.reading() as session:
        assert len(session.exec(select(Presence).where(Presence.inside)).all()) == 3
        assert session.exec(select(JournalRow).where(JournalRow.kind == "corrected")).all() == []


def test_the_end_names_who_is_missing_first_and_then_nobody_is_inside(place: Place) -> None:
    staff = place.staff()
    pressed(place, staff, "/evacuation/visitors", name="Plombier")
    asked = pressed(place, staff, "/evacuation/end", found="m:remy")
    assert "3 ne sont pas cochés : Plombier Oudin Brigitte Vasseur Grégoire" in asked
    assert "4 personnes dedans" in place.page("/evacuation", staff), "the question changes nothing"
    said = pressed(place, staff, "/evacuation/end", found="m:remy", sure="1")
    assert "Plus personne n’est compté dans les murs." in said
    seen = place.page("/evacuation", staff)
    assert "0, d’après les portes" in seen
    assert "À vérifier · 3" in seen
    with place.database.reading() as session:
        ended = session.exec(select(AuditRow).where(AuditRow.did == "evacuated")).one()
    assert ended.after == {"people": 4, "missing": 3}
    place.journal.enters(at(19, 40), "remy", Reason.ALWAYS)
    place.now = at(19, 41)
    place.tell()
    assert "1 personne dedans" in place.page("/evacuation", staff)
    assert "À vérifier · 2" in place.page("/evacuation", staff)
