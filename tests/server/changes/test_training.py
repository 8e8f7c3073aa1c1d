"""Who may use machines of a kind: certified on evidence, what is needed first, withdrawn with a reason; edges hear."""

from datetime import date, timedelta

import msgspec
import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from sqlmodel import col, select

from policy.bundle import Kind, Role
from policy.terms import DAY, HOUR
from server.changes.bundle import import_bundle, put
from server.changes.people import Done
from server.changes.purge import purge
from server.changes.training import Evidence, Missing, Shown, certify, last_day
from server.database.types import moment
from server.errors import ChangeRefusedError
from server.models import AuditRow, Certification, CertificationEntry, MachineSession
from server.publish.bundle import export, held
from server.queries.training import trained
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle, whole_bundle
from tests.support_site import at
from wire.envelope import Envelope
from wire.messages import Rules, decode
from wire.ruleset import unpack

TODAY = date(2026, 11, 24)
FORM = {"evidence": "session", "day": "24/11/2026", "last": "", "why": ""}


@pytest.fixture
def lab(place: Place) -> Place:
    """The laser wants the printer's training first and is good for a year; Grégoire keeps the lab."""
    gregoire = replace(next(m for m in small_bundle().members if m.id == "gregoire"), roles=(Role.FAB_MANAGER,))
    with place.database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
        put(session, [gregoire], DECIDED)
    place.publish()
    return place


def post(place: Place, client: FlaskClient, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/account")} | FORM | data)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, place.words(answer).replace("\N{NO-BREAK SPACE}", " ")


def known(place: Place, member: str) -> dict[str, date | None]:
    """As the bundle has them."""
    return {one.kind: one.until for one in place.publisher.current.bundle.certifications if one.member == member}


def entries(place: Place) -> list[tuple[str, str, str, str, str]]:
    with place.database.reading() as session:
        rows = session.exec(select(CertificationEntry).order_by(col(CertificationEntry.id)))
        return [(one.did, one.member, one.kind, one.evidence, one.by) for one in rows]


def test_certified_on_the_members_page_in_force_at_the_edges_at_once(lab: Place) -> None:
    desk, before = lab.staff(), lab.publisher.current.version
    status, page = post(lab, desk, "/members/remy/trainings", kind="printer")
    assert (status, "Formation notée. 0 porte sur" in page) == (303, True)
    assert "Imprimante 3D sans limite session suivie le mar. 24 nov., noté par equipe" in page
    assert lab.publisher.current.version > before
    told = unpack(decode(Rules, _body(lab), "rules").body)
    assert told.certifications["remy"] == {"printer": None}
    with lab.database.reading() as session:
        [row] = session.exec(select(AuditRow).where(AuditRow.noun == "certification", AuditRow.account == "equipe"))
        assert (row.did, row.subject) == ("added", "remy/printer")


def _body(lab: Place) -> bytes:
    """The rules as they were published last."""
    [payload] = [sent for topic, sent in lab.published.items() if topic.endswith("/rules")]
    return bytes(msgspec.json.decode(payload, type=Envelope).body)


def test_the_last_day_is_worked_out_or_set(lab: Place) -> None:
    desk = lab.staff()
    post(lab, desk, "/members/remy/trainings", kind="printer")
    post(lab, desk, "/members/remy/trainings", kind="laser", day="30/09/2026")
    assert known(lab, "remy") == {"printer": None, "laser": date(2027, 9, 30)}
    status, page = post(lab, desk, "/members/remy/trainings", kind="laser", last="3/12/2026", evidence="exam")
    assert (status, "laser finit le jeu. 3 déc. essai réussi" in page) == (303, True)
    assert known(lab, "remy")["laser"] == date(2026, 12, 3)
    year = Kind("laser", valid_months=12)
    assert last_day(year, date(2024, 2, 29)) == date(2025, 2, 28)
    assert last_day(Kind("laser", valid_months=1), date(2026, 12, 31)) == date(2027, 1, 31)
    assert last_day(Kind("laser"), TODAY) is None


def test_what_is_needed_before_is_said_and_nothing_is_changed(lab: Place) -> None:
    desk, before = lab.staff(), lab.publisher.current.version
    status, page = post(lab, desk, "/members/remy/trainings", kind="laser")
    assert (status, "Pas noté : il faut d’abord Imprimante 3D" in page) == (409, True)
    post(lab, desk, "/members/remy/trainings", kind="printer", last="24/11/2026")
    assert post(lab, desk, "/members/remy/trainings", kind="laser")[0] == 303
    with lab.database.transaction() as session:
        later = Shown("laser", Evidence.EXAM, date(2026, 11, 25))
        assert certify(session, DECIDED, "remy", later, date(2026, 11, 25)) == Missing(("printer",))
    assert lab.publisher.current.version > before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"day": "25/11/2026"}, "Il n’est pas à venir"),
        ({"day": "demain"}, "Écrivez le jour ainsi"),
        ({"day": "01/01/0001"}, "Il n’est pas à venir"),
        ({"last": "23/11/2026"}, "pas avant aujourd’hui"),
        ({"last": "31/12/9999"}, "Écrivez le dernier jour ainsi"),
        ({"evidence": "charme"}, "Choisissez ce qui le montre"),
        ({"evidence": "elsewhere"}, "Écrivez où cette personne l’a appris"),
        ({"kind": "canon"}, "Cette formation n’existe pas"),
    ],
)
@pytest.mark.sqlite
def test_what_cannot_be_is_said_beside_its_field(lab: Place, wrong: dict[str, str], said: str) -> None:
    status, page = post(lab, lab.staff(), "/members/remy/trainings", **{"kind": "printer"} | wrong)
    assert (status in (400, 409), said in page, known(lab, "remy"), entries(lab)) == (True, True, {}, [])


def test_withdrawn_with_a_reason_and_kept_with_who_gave_it(lab: Place) -> None:
    desk = lab.staff()
    post(lab, desk, "/members/remy/trainings", kind="printer", evidence="elsewhere", why="fablab de Vanves")
    status, page = post(lab, desk, "/members/remy/trainings/withdrawn", kind="printer")
    assert (status, "Écrivez pourquoi" in page, known(lab, "remy")) == (400, True, {"printer": None})
    status, page = post(lab, desk, "/members/remy/trainings/withdrawn", kind="printer", why="a forcé la buse")
    assert (status, "Formation retirée." in page, known(lab, "remy")) == (303, True, {})
    status, page = post(lab, desk, "/members/remy/trainings/withdrawn", kind="printer", why="encore")
    assert (status, "n’a pas, ou plus, cette formation" in page) == (409, True)
    assert entries(lab) == [
        ("certified", "remy", "printer", "elsewhere", "equipe"),
        ("withdrawn", "remy", "printer", "", "equipe"),
    ]


@pytest.mark.sqlite
def test_a_form_sent_twice_certifies_once(lab: Place) -> None:
    desk = lab.staff()
    for _ in range(2):
        assert post(lab, desk, "/members/remy/trainings", kind="printer")[0] == 303
    assert len(entries(lab)) == 1


@pytest.mark.sqlite
def test_a_fab_manager_certifies_by_name_and_sees_no_members_page(lab: Place) -> None:
    keeper = lab.member("gregoire")
    page = lab.page("/trainings", keeper)
    assert "Imprimante 3D 1 personne formée" in page
    assert "après : Imprimante 3D · valable 12 mois" in page
    path = "/trainings/kinds/printer"
    status, page = post(lab, keeper, f"{path}/certify", who="quentin")
    assert (status, "Rémy Quentin : formation notée." in page) == (303, True)
    assert "Rémy Quentin sans limite session suivie le mar. 24 nov., noté par Grégoire Vasseur" in page
    assert post(lab, keeper, f"{path}/certify", who="i")[0] == 400
    assert post(lab, keeper, f"{path}/certify", who="xyz")[1].count("Personne ne s’appelle ainsi") == 1
    status, page = post(lab, keeper, f"{path}/withdraw", member="remy")
    assert (status, "Écrivez pourquoi" in page) == (400, True)
    status, page = post(lab, keeper, f"{path}/withdraw", member="remy", why="part")
    assert (status, known(lab, "remy")) == (303, {})
    assert keeper.get("/members/remy").status_code == 403
    assert keeper.get("/trainings/kinds/canon").status_code == 404


def test_the_bundle_comes_back_as_it_went_and_what_was_imported_has_no_evidence(lab: Place) -> None:
    desk = lab.staff()
    post(lab, desk, "/members/remy/trainings", kind="printer")
    with lab.database.transaction() as session:
        before = export(session)
        assert before is not None
        done = import_bundle(session, before, DECIDED)
        assert (done.new, done.changed, done.ended, export(session)) == (0, 0, (), before)
        assert session.get_one(Certification, ("remy", "printer")).ended is None
    assert "Imprimante 3D sans limite session suivie" in lab.page("/members/remy", desk)
    assert "Imprimante 3D sans limite Vient d’un fichier importé" in lab.page("/members/brigitte", desk)


def test_nobody_certifies_who_is_no_member(lab: Place) -> None:
    with lab.database.transaction() as session:
        with pytest.raises(ChangeRefusedError, match="member_unknown"):
            certify(session, DECIDED, "nobody", Shown("printer", Evidence.EXAM, TODAY), TODAY)
        assert certify(session, DECIDED, "zoe", Shown("printer", Evidence.EXAM, TODAY), TODAY) == Done("zoe")
        assert held(session, "certifications", {"member": "zoe"})


def test_forgotten_five_years_after_its_end(lab: Place) -> None:
    desk = lab.staff()
    for member in ("remy", "brigitte"):
        post(lab, desk, f"/members/{member}/trainings", kind="printer")
    post(lab, desk, "/members/remy/trainings/withdrawn", kind="printer", why="part")
    for days, left in ((5 * 365 - 1, 3), (5 * 365 + 1, 1)):
        with lab.database.transaction() as session:
            while purge(session, lab.now + days * DAY, 90):
                pass
        assert len(entries(lab)) == left
    with lab.database.reading() as session:
        assert session.get(Certification, ("remy", "printer")) is None
        assert session.get(Certification, ("brigitte", "printer")) is not None


def ran(place: Place, member: str, when: int, kind: str = "laser") -> None:
    """A session of an hour."""
    with place.database.transaction() as session:
        said = {"machine": kind, "member": member, "kind": kind, "cuts": False, "edge": "lab"}
        start, end = moment(when), moment(when + HOUR)
        session.add(MachineSession(started=start, ended=end, heard=end, **said))


def test_to_renew_when_not_practised_for_so_many_months_a_warning_no_refusal(lab: Place) -> None:
    """The laser wants to be used within six months; the day stays when the session itself is forgotten."""
    desk = lab.staff()
    assert "à renouveler" not in lab.page("/members/brigitte", desk)
    ran(lab, "brigitte", lab.now)
    for days, stale in ((180, False), (182, True)):
        lab.now = at(19) + days * DAY
        with lab.database.transaction() as session:
            while purge(session, lab.now, 90):
                pass
            assert session.exec(select(MachineSession)).all() == []
        lab.publish()
        with lab.database.reading() as session:
            [laser] = [one for one in trained(session, held(session, "certifications")) if one.used is not None]
        kind = Kind("laser", refresher_months=6)
        assert (laser.used, laser.to_refresh(kind, date(2026, 11, 24) + timedelta(days=days)) is not None) == (
            TODAY,
            stale,
        )
    assert laser.to_refresh(Kind("laser"), date(2030, 1, 1)) is None


@pytest.mark.sqlite
def test_the_member_reads_that_it_is_to_be_renewed(lab: Place) -> None:
    ran(lab, "brigitte", lab.now - 200 * DAY)
    page = lab.page("/me", lab.member("brigitte")).replace("\N{NO-BREAK SPACE}", " ")
    assert "laser à renouveler" in page
    assert "Pas pratiqué depuis le ven. 8 mai : une remise à niveau aide, rien n’est refusé." in page
