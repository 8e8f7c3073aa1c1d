"""One machine's page, as the QR on the wall opens it: its state, one's own training and time, its week, its faults."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import select

from policy.bundle import Bundle, Certification, Closure
from policy.terms import DAY, HOUR, MINUTE
from server.models import AuditRow
from server.queries.my_data import my_data
from tests.support_accounts import account_of
from tests.support_lab import booked, furnish, lab_bundle, runs
from tests.support_pages import Place
from tests.support_site import at

pytestmark = pytest.mark.sqlite


@pytest.fixture
def lab(place: Place) -> Place:
    furnish(place, lab_bundle(booked("b", "printer", "remy", "20:30", "21:00")))
    return place


def pressed(place: Place, client: FlaskClient, path: str, **form: str) -> str:
    token = place.form_token(client, "/account")
    return place.words(client.post(path, data=form | {"csrf_token": token}, follow_redirects=True))


def test_its_state_comes_first_and_what_one_needs_to_start_it(lab: Place) -> None:
    runs(lab, "laser", "remy", at(19), until=at(20, 30))
    brigitte = account_of(lab, "brigitte")
    said = lab.page("/machines/laser", brigitte)
    assert "Découpe laser en marche Occupée jusqu’à 20 h 30" in said
    assert "Votre formation « Découpe laser » est bonne, sans limite." in said
    assert "Il vous faut la formation « Découpe laser »" in lab.page("/machines/laser", account_of(lab, "fabien"))
    assert "Formation demandée : Découpe laser." in lab.page("/machines/laser", lab.staff())
    assert "8 h au plus par réservation, 30 jours d’avance, 3 réservations à la fois." in said
    assert "Elle s’arrête si vous quittez le lieu. À l’heure dite, son courant est coupé." in said
    assert "lundi : 9 h – 19 h" in lab.page("/machines/saw", brigitte)


def certified(until: date) -> Bundle:
    return replace(lab_bundle(), certifications=(Certification(member="brigitte", kind="laser", until=until),))


@pytest.mark.parametrize(("until", "said"), [
    (date(2026, 11, 24), "est bonne jusqu’au mar. 24 nov."),
    (date(2026, 11, 23), "a fini le lun. 23 nov. : demandez à un responsable."),
])  # fmt: skip
def test_a_training_that_has_ended_is_said_to(place: Place, until: date, said: str) -> None:
    furnish(place, certified(until))
    assert said in place.page("/machines/laser", account_of(place, "brigitte"))


def test_its_week_is_a_picture_and_a_list_and_tells_names_to_fab_managers_alone(lab: Place) -> None:
    remy, other = account_of(lab, "remy"), lab.page("/machines/printer", account_of(lab, "brigitte"))
    assert "Jour Prise mar. 24 nov. 20 h 30 – 21 h Dans mon agenda À savoir" in other
    assert "20 h 30 – 21 h, vous" in lab.page("/machines/printer", remy)
    assert "20 h 30 – 21 h, Rémy Q." in lab.page("/machines/printer", account_of(lab, "fabien"))
    html = remy.get("/machines/printer").text
    own = re.search(r'<rect class="own" x="(\d+)" y="([\d.]+)" width="\d+" height="([\d.]+)"', html)
    assert own is not None
    assert (float(own[2]) - 40) / 14 == 12.5, "20 h 30, where the picture begins at 8 h"
    assert float(own[3]) == 7, "half an hour"
    assert html.count('<rect class="staffed"') == 5, "the team's days of that week: Wednesday to Monday, and the fair"
    assert "Aucune réservation dans les 7 jours." in lab.page("/machines/laser", remy)


def test_a_booking_at_night_stretches_the_picture(lab: Place) -> None:
    furnish(lab, lab_bundle(booked("b", "laser", "remy", "23:00", "23:59")))
    html = account_of(lab, "remy").get("/machines/laser").text
    own = re.search(r'<rect class="own"[^>]* height="([\d.]+)"', html)
    assert own is not None
    assert 13.5 < float(own[1]) < 14, "all of it is in sight"


def test_what_is_left_of_ones_time_is_said_before_it_is_used_up(lab: Place) -> None:
    """4 h a month on printers, of which 3 h 13 are used: under a fifth is left."""
    brigitte = account_of(lab, "brigitte")
    said = lab.page("/machines/printer", brigitte)
    assert "Il vous reste 4 h ce mois-ci 0 min sur 4 h ; de nouveau entier le mar. 1er déc." in said
    start = at(10) - 2 * DAY
    runs(lab, "printer", "brigitte", start, ended=start + 3 * HOUR + 13 * MINUTE)
    html = brigitte.get("/machines/printer-2").text
    assert '<span class="mark warn">temps</span> <b>Il vous reste 47\N{NO-BREAK SPACE}min ce mois-ci</b>' in html
    runs(lab, "printer-2", "brigitte", at(12), ended=at(13))
    assert "Votre temps est épuisé ce mois-ci" in lab.page("/machines/printer", brigitte)
    assert "Il vous reste" not in lab.page("/machines/laser", brigitte), "that kind has no quota"
    assert "Il vous reste" not in lab.page("/machines/printer", lab.staff())


def test_a_fault_is_reported_in_a_sentence_answered_and_settled(lab: Place) -> None:
    brigitte, fabien, remy = (account_of(lab, who) for who in ("brigitte", "fabien", "remy"))
    said = pressed(lab, brigitte, "/machines/laser/faults", what="  l’aspiration \n siffle ")
    assert "C’est noté" in said
    assert "l’aspiration siffle à voir 19 h 12" in said
    pressed(lab, brigitte, "/machines/laser/faults", what="l’aspiration siffle")
    assert lab.page("/machines/laser", brigitte).count("siffle à voir") == 1, "sent twice, it is one"
    assert "siffle à voir" not in lab.page("/machines/laser", remy), "who reported what is the fab managers' business"
    assert "l’aspiration siffle à voir Brigitte O., 19 h 12" in lab.page("/machines/laser", fabien)
    assert "Découpe laser · l’aspiration siffle à voir Brigitte O., 19 h 12" in lab.page("/machines", fabien)
    assert "siffle" not in lab.page("/machines", brigitte)
    pressed(lab, fabien, "/machines/laser/faults/1", answer="commandé, arrive vendredi")
    assert "vu 19 h 12 · « commandé, arrive vendredi »" in lab.page("/machines/laser", brigitte)
    assert "C’est réglé." in pressed(lab, fabien, "/machines/laser/faults/1", done="1")
    assert "commandé" not in lab.page("/machines/laser", brigitte)
    assert "Quelqu’un vient de régler ce souci." in pressed(lab, lab.staff(), "/machines/laser/faults/1", done="1")
    with lab.database.reading() as session:
        assert len(my_data(session, lab.publisher.current.bundle, "brigitte")["machine_faults"]) == 1
        done = [row.did for row in session.exec(select(AuditRow).where(AuditRow.noun == "machine_fault"))]
    assert sorted(done) == ["reported", "seen", "settled"]


@pytest.mark.parametrize("what", ["", "  ", "x" * 201])
def test_nothing_and_a_novel_are_no_report_and_what_was_typed_stays(lab: Place, what: str) -> None:
    brigitte = account_of(lab, "brigitte")
    form = {"what": what, "csrf_token": lab.form_token(brigitte, "/account")}
    answer = brigitte.post("/machines/laser/faults", data=form)
    assert answer.status_code == 400
    assert "Dites en une phrase" in lab.words(answer)
    assert f'value="{what}"' in answer.text


def test_reports_that_wait_do_not_grow_without_end(lab: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.changes.machine_sheet.MOST_OPEN", 1)
    brigitte = account_of(lab, "brigitte")
    pressed(lab, brigitte, "/machines/laser/faults", what="un")
    assert "Trop de soucis attendent déjà" in pressed(lab, brigitte, "/machines/laser/faults", what="deux")
    assert "C’est noté" in pressed(lab, brigitte, "/machines/printer/faults", what="deux")


def test_a_fab_manager_writes_the_sheet_and_links_lead_to_the_web_only(lab: Place) -> None:
    fabien, html = account_of(lab, "fabien"), "/machines/laser/sheet"
    written = {"consumables": "Lentilles : tiroir jaune.", "manual": "https://exemple.org/laser", "video": ""}
    assert "La fiche est à jour." in pressed(lab, fabien, html, **written)
    seen = account_of(lab, "remy").get("/machines/laser").text
    assert "Lentilles : tiroir jaune." in seen
    assert 'href="https://exemple.org/laser"' in seen
    assert "La vidéo" not in seen
    for bad in ("javascript:alert(1)", "exemple.org", "https://exemple.org/ x"):
        assert "qui commence par https://" in pressed(lab, fabien, html, **written | {"video": bad})
    assert 'value="https://exemple.org/laser"' in fabien.get(html).text


def test_what_is_no_machine_is_not_found_and_nobody_else_answers(lab: Place) -> None:
    remy = account_of(lab, "remy")
    token = lab.form_token(remy, "/account")
    assert remy.get("/machines/kiln").status_code == 404
    assert remy.post("/machines/kiln/faults", data={"what": "x", "csrf_token": token}).status_code == 404
    assert remy.post("/machines/laser/faults/1", data={"done": "1", "csrf_token": token}).status_code == 403
    assert remy.get("/machines/laser/sheet").status_code == 403
    assert "Changer la fiche" not in lab.page("/machines/laser", remy)


def test_a_closure_is_shut_in_the_picture(lab: Place) -> None:
    bundle = lab_bundle()
    shut = Closure(first=date(2026, 11, 25), last=date(2026, 11, 30))
    site = replace(bundle.site, closures=(shut,), openings=())
    furnish(lab, replace(bundle, site=site))
    assert '<rect class="staffed"' not in account_of(lab, "remy").get("/machines/laser").text


def test_sessions_told_late_count_in_the_time_they_ran_in(lab: Place) -> None:
    """An edge without link for a week delivers at last: the figure on Moi is as if it had told at once."""
    brigitte, start = account_of(lab, "brigitte"), at(10) - 6 * DAY
    runs(lab, "printer", "brigitte", at(18), ended=at(18, 30))
    assert "Impression 3D Il vous reste 3 h 30 ce mois-ci" in lab.page("/me", brigitte)
    lab.now = at(22)
    runs(lab, "printer-2", "brigitte", start, ended=start + HOUR)
    runs(lab, "printer-2", "brigitte", start - 20 * DAY, ended=start - 20 * DAY + HOUR)
    assert "Impression 3D Il vous reste 2 h 30 ce mois-ci" in lab.page("/me", brigitte), "October's hour is October's"
    lab.tell()
    assert "Il vous reste 2 h 30 ce mois-ci" in lab.page("/me", brigitte), "told twice, it counts once"
    assert "Mon temps" not in lab.page("/me", lab.staff())


def test_from_a_report_the_machine_goes_out_of_service_for_that_reason(lab: Place) -> None:
    """One press leads to the second step, which names whose bookings fall."""
    fabien, brigitte = account_of(lab, "fabien"), account_of(lab, "brigitte")
    pressed(lab, brigitte, "/machines/printer/faults", what="buse bouchée")
    assert "Mettre hors service pour cela…" in lab.page("/machines/printer", fabien)
    assert "Mettre hors service" not in lab.page("/machines/printer", brigitte)
    said = pressed(lab, fabien, "/machines/printer/out", why="buse bouchée")
    assert "Mettre hors service : Imprimante 1 ?" in said
    assert "Rémy Q." in said
    pressed(lab, fabien, "/machines/printer/out", why="buse bouchée", sure="1")
    assert "buse bouchée par Fabien R." in (now := lab.page("/machines/printer", fabien))
    assert "Mettre hors service pour cela…" not in now


def test_the_slip_for_the_wall_opens_the_machine_s_page(lab: Place) -> None:
    fabien = account_of(lab, "fabien")
    html = fabien.get("/machines/laser/slip").text
    assert 'href="http://localhost/machines/laser"' in html
    assert 'class="qr"' in html
    said = lab.page("/machines/laser/slip", fabien)
    assert "Lampe rouge : elle est hors service, ou pas pour vous." in said
    assert "Arrêt d’urgence enfoncé : ne le relevez pas." in said
    assert fabien.get("/machines/kiln/slip").status_code == 404


def test_the_code_on_the_wall_leads_back_to_the_machine_after_the_login(lab: Place) -> None:
    asked = lab.client.get("/machines/laser")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/login?next=/machines/laser")


def test_maintenance_is_planned_announced_and_noted_as_done(lab: Place) -> None:
    fabien, brigitte = account_of(lab, "fabien"), account_of(lab, "brigitte")
    plain = {"consumables": "", "manual": "", "video": ""}
    refused = pressed(lab, fabien, "/machines/laser/sheet", **plain, service_hours="0", service_days="demain")
    assert refused.count("Un nombre entier, comme 50, ou rien.") == 2
    pressed(lab, fabien, "/machines/laser/sheet", **plain, service_hours="4", service_days="")
    assert "entretien Prochain entretien dans 4 h de marche." in lab.page("/machines/laser", brigitte)
    assert "À prévoir" not in lab.page("/machines", fabien)
    runs(lab, "laser", "remy", at(14), until=at(18), ended=at(17, 30))
    ground = "toutes les 4 h, 3 h 30 en tout"
    assert f"À prévoir Découpe laser · entretien dans 30 min de marche {ground}" in lab.page("/machines", fabien)
    assert f"Entretiens Découpe laser dans 30 min de marche {ground}" in lab.page("/machines/chiffres", fabien)
    assert "À prévoir" not in lab.page("/machines", brigitte)
    assert "Entretien fait" not in lab.page("/machines/laser", brigitte)
    assert "Dites en une phrase ce qui a été fait" in pressed(lab, fabien, "/machines/laser/serviced", note=" ")
    said = pressed(lab, fabien, "/machines/laser/serviced", note="lentille nettoyée")
    assert "L’entretien est noté" in said
    assert "Prochain entretien dans 4 h de marche." in said
    assert "Le dernier : mar. 24 nov., Fabien R. : lentille nettoyée" in said
    with lab.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.noun == "machine_sheet")).all()
    assert [row.did for row in rows] == ["changed", "serviced"]
