"""A badge of the house: into the stock, lent until the site day ends, given back, and nobody's for good meanwhile."""

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from policy.terms import HOUR
from server.models import AuditRow, Credential, DayBadge
from tests.support_pages import CREDENTIAL_KEY, STAFF, Place
from tests.support_site import REMY, at
from wire.credential import pseudonym

UID = "04AABBCC001122"


def post(place: Place, client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/day-badges")} | data)
    status = answer.status_code
    if status == 303:
        answer = client.get(answer.headers["Location"])
    return status, place.words(answer).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def desk(place: Place) -> FlaskClient:
    """The badge number 7 is in the stock."""
    client = place.staff()
    status, page = post(place, client, "/day-badges", number="7", uid=UID)
    assert (status, "Badge du jour 7 ajouté." in page) == (303, True)
    return client


def holder(place: Place) -> str | None:
    badge = place.publisher.current.rules.credentials.get(pseudonym(CREDENTIAL_KEY, bytes.fromhex(UID)))
    return None if badge is None else badge.member


def in_stock(place: Place) -> int:
    """The row of the badge."""
    with place.database.reading() as session:
        return session.exec(select(DayBadge.id).where(DayBadge.uid == UID)).one() or 0


def lend(place: Place, client: FlaskClient, member: str = "remy", which: int | None = None) -> tuple[int, str]:
    return post(place, client, f"/members/{member}/day-badge", which=in_stock(place) if which is None else which)


def test_it_opens_for_its_member_until_the_site_day_ends(place: Place, desk: FlaskClient) -> None:
    assert holder(place) is None
    status, page = lend(place, desk)
    assert (status, "Badge du jour prêté, jusqu’à la fin de la journée." in page) == (303, True)
    assert "···1122 badge du jour 7 bon" in page
    assert "2 badges actifs" not in page, "the other one ends with the day"
    assert holder(place) == "remy"
    known = place.publisher.current.rules.credentials[pseudonym(CREDENTIAL_KEY, bytes.fromhex(UID))]
    assert known.valid_until == at(24 + 4), "the site day ends at four in the morning"
    assert "Badge du jour 7 ···1122 prêté aujourd’hui Rémy Quentin" in place.page("/day-badges", desk)


def test_given_back_it_opens_nothing_and_is_free_again(place: Place, desk: FlaskClient) -> None:
    lend(place, desk)
    status, page = post(place, desk, f"/day-badges/{in_stock(place)}/back", member="remy")
    assert (status, "Badge du jour rendu : il n’ouvre plus rien. 0 porte" in page) == (303, True)
    assert holder(place) is None
    assert lend(place, desk, "gregoire")[0] == 303
    assert holder(place) == "gregoire"


def test_what_somebody_has_is_lent_to_nobody_else(place: Place, desk: FlaskClient) -> None:
    lend(place, desk)
    status, page = lend(place, desk, "gregoire")
    assert (status, "Ce badge du jour n’est pas libre." in page) == (409, True)
    assert holder(place) == "remy"
    assert lend(place, desk, "gregoire", which=10**8)[0] == 409
    assert "Prêter un badge du jour…" not in place.page("/members/gregoire", desk)


def test_one_that_was_not_given_back_is_said_and_may_be_lent_the_next_day(place: Place, desk: FlaskClient) -> None:
    lend(place, desk)
    place.now += 24 * HOUR
    assert "pas rendu depuis le mar. 24 nov." in place.page("/day-badges", desk).replace("\N{NO-BREAK SPACE}", " ")
    assert lend(place, desk, "gregoire")[0] == 303
    assert holder(place) == "gregoire"


def test_one_that_is_lost_is_not_lent_until_it_comes_back(place: Place, desk: FlaskClient) -> None:
    lend(place, desk)
    with place.database.reading() as session:
        row = session.exec(select(Credential).where(Credential.uid == UID)).one()
    post(place, desk, f"/members/remy/badges/{row.id}", seen="active", status="lost")
    place.now += 24 * HOUR
    assert lend(place, desk, "gregoire")[0] == 409
    assert post(place, desk, f"/day-badges/{in_stock(place)}/back")[0] == 303
    assert lend(place, desk, "gregoire")[0] == 303
    assert not place.publisher.current.rules.credentials[pseudonym(CREDENTIAL_KEY, bytes.fromhex(UID))].blocked


def test_it_becomes_nobodys_own(place: Place, desk: FlaskClient) -> None:
    status, page = post(place, desk, "/members/zoe/badges", uid=UID)
    assert (status, "C’est le badge du jour 7 : prêtez-le plutôt." in page) == (409, True)


@pytest.mark.parametrize(
    ("number", "uid", "said"),
    [
        ("7", "04AABBCC003344", "Écrivez un numéro de 1 à 9999"),
        ("0", "04AABBCC003344", "Écrivez un numéro de 1 à 9999"),
        ("8", UID, "C’est le badge du jour 7"),
        ("8", REMY.hex(), "est à Rémy Quentin."),
        ("8", "08112233", "Ce numéro change à chaque fois"),
        ("8", "soleil", "Écrivez les 4, 7 ou 10 octets"),
        ("8", "1234567890", "Lequel est-ce ?"),
    ],
)
def test_what_cannot_come_into_the_stock(place: Place, desk: FlaskClient, number: str, uid: str, said: str) -> None:
    status, page = post(place, desk, "/day-badges", number=number, uid=uid)
    assert status in (400, 409)
    assert said in page


def test_out_of_the_stock_it_opens_nothing_and_its_number_is_free(place: Place, desk: FlaskClient) -> None:
    lend(place, desk)
    assert post(place, desk, f"/day-badges/{in_stock(place)}/end")[0] == 303
    assert holder(place) is None
    assert "Aucun badge du jour" in place.page("/day-badges", desk)
    assert post(place, desk, "/day-badges", number="7", uid=UID)[0] == 303
    with place.database.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.account == STAFF, AuditRow.noun == "day_badge")).all()
        assert sorted(row.did for row in rows) == ["added", "added", "ended"]
        assert UID not in str(rows)
