"""Who is expected, at the desk: found by name, checked, told to the doors, ended in one press."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from msgspec import UNSET
from msgspec.structs import replace

from policy.bundle import Credential, Invitation
from server.changes.bundle import put
from tests.support_pages import Place, plain
from tests.support_server import DECIDED

SATURDAY = {"who": "quentin", "date": "28/11/2026", "hours": "9 h – 18 h"}


def invited(place: Place) -> list[Invitation]:
    """As the doors' rules have them, the new ones."""
    return [one for one in place.publisher.current.bundle.invitations if one.id.startswith("i-")]


def press(place: Place, path: str, client: FlaskClient, **data: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": place.form_token(client, "/invitations")} | data)
    if answer.status_code == 303:
        return 303, place.page(answer.headers["Location"], client).replace("\N{NO-BREAK SPACE}", " ")
    return answer.status_code, plain(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def test_a_member_is_invited_by_a_part_of_the_name_and_withdrawn_in_one_press(place: Place) -> None:
    client, before = place.staff(), place.publisher.current.version
    status, text = press(place, "/invitations", client, **SATURDAY)
    assert (status, "Invitation enregistrée. 0 porte sur" in text) == (303, True)
    assert "Rémy Quentin sam. 28 nov., 9 h – 18 h" in text
    [one] = invited(place)
    assert (one.member, one.start, one.end, one.access_points) == (
        "remy",
        "2026-11-28T09:00",
        "2026-11-28T18:00",
        UNSET,
    )
    assert place.publisher.current.version > before
    path = f"/invitations/{one.id}/end"
    status, text = press(place, path, client)
    assert (status, "Invitation retirée." in text, invited(place)) == (303, True, [])
    status, text = press(place, path, client)
    assert (status, "cette invitation n’est plus là" in text) == (409, True)


def test_over_several_days_and_past_midnight(place: Place) -> None:
    client = place.staff()
    _, text = press(place, "/invitations", client, **SATURDAY | {"until": "30/11/2026", "access_points": "front"})
    assert "du sam. 28 nov. à 9 h au lun. 30 nov. à 18 h · front" in text
    press(place, "/invitations", client, **SATURDAY | {"hours": "22h-2h"})
    assert [(one.end, one.access_points) for one in invited(place)] == [
        ("2026-11-30T18:00", ("front",)),
        ("2026-11-29T02:00", UNSET),
    ]


def test_who_would_stay_outside_all_the_same_is_said(place: Place) -> None:
    client = place.staff()
    status, text = press(place, "/invitations", client, **SATURDAY | {"who": "zoe"})
    assert (status, invited(place)) == (200, [])
    assert "Zoé Wibaux n’entrera pas sam. 28 nov., 9 h – 18 h : accès suspendu." in text
    _, text = press(place, "/invitations", client, **SATURDAY | {"who": "zoe", "sure": "1"})
    assert "n’entrera pas accès suspendu" in text
    assert [one.member for one in invited(place)] == ["zoe"]


@pytest.mark.parametrize(
    ("badge", "member", "until", "said"),
    [
        (date(2026, 11, 24), None, "", "badge valable jusqu’au mar. 24 nov. seulement"),
        (date(2026, 11, 27), None, "", "badge valable jusqu’au ven. 27 nov. seulement"),
        (date(2026, 11, 28), None, "", ""),
        (date(2026, 11, 28), None, "29/11/2026", "badge valable jusqu’au sam. 28 nov. seulement"),
        (None, date(2026, 11, 27), "", "adhésion jusqu’au ven. 27 nov. seulement"),
        (None, None, "", ""),
    ],
)
def test_what_ends_before_the_invitation_does_is_said_before_it_is_saved(
    place: Place, badge: date | None, member: date | None, until: str, said: str
) -> None:
    """By the days of the invitation, not by today."""
    bundle = place.publisher.current.bundle
    [remy] = [one for one in bundle.members if one.id == "remy"]
    [his] = [one for one in bundle.credentials if one.member == "remy"]
    with place.database.transaction() as session:
        put(session, [replace(remy, valid_until=member), replace(his, valid_until=badge)], DECIDED)
    place.publish()
    status, text = press(place, "/invitations", place.staff(), **SATURDAY | {"until": until})
    assert (status, bool(invited(place))) == ((200, False) if said else (303, True))
    assert ("Rémy Quentin n’entrera pas" in text, said in text) == (bool(said), True)


def test_of_several_of_one_name_one_is_chosen(place: Place) -> None:
    remy = next(one for one in place.publisher.current.bundle.members if one.id == "remy")
    with place.database.transaction() as session:
        other = [replace(remy, id="other", name="Quentin Dupuis"), Credential(uid="0461AABBCC0001", member="other")]
        put(session, other, DECIDED)
    place.publish()
    client = place.staff()
    status, text = press(place, "/invitations", client, **SATURDAY)
    assert (status, "Plusieurs personnes s’appellent ainsi" in text) == (400, True)
    assert re.search("Quentin Dupuis, .*Rémy Quentin, ", text)
    assert press(place, "/invitations", client, member="other", **SATURDAY)[0] == 303
    assert [one.member for one in invited(place)] == ["other"]
    assert press(place, "/invitations", client, member="other", sure="1", **SATURDAY | {"who": "brigitte"})[0] == 303
    assert [one.member for one in invited(place)] == ["other", "brigitte"], "another name was typed since"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"who": "personne d’ici"}, "Personne ne s’appelle ainsi"),
        ({"who": ""}, "Personne ne s’appelle ainsi"),
        ({"date": ""}, "Écrivez le jour ainsi"),
        ({"date": "9999-12-31"}, "Écrivez le jour ainsi"),
        ({"date": "1/11/2026"}, "Écrivez le jour ainsi"),
        ({"hours": "18"}, "Écrivez une heure de début"),
        ({"until": "27/11/2026"}, "La fin n’est ni passée"),
        ({"until": "bientôt"}, "La fin n’est ni passée"),
        ({"access_points": "cave"}, "Cette porte n’existe plus"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nobody_is_invited(
    place: Place, data: dict[str, str], said: str
) -> None:
    status, text = press(place, "/invitations", place.staff(), **SATURDAY | data)
    assert (status, said in text) == (400, True)
    assert invited(place) == []
