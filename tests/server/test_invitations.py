"""Who is expected, at the desk: found by name, checked, told to the doors, ended in one press."""

import re

import pytest
from flask.testing import FlaskClient
from msgspec import UNSET
from msgspec.structs import replace

from policy.bundle import Invitation
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
    _, text = press(place, "/invitations", place.staff(), **SATURDAY | {"who": "zoe"})
    assert "n’entrera pas accès suspendu" in text


def test_of_several_of_one_name_one_is_chosen(place: Place) -> None:
    remy = next(one for one in place.publisher.current.bundle.members if one.id == "remy")
    with place.database.transaction() as session:
        put(session, [replace(remy, id="other", name="Quentin Dupuis")], DECIDED)
    place.publish()
    client = place.staff()
    status, text = press(place, "/invitations", client, **SATURDAY)
    assert (status, "Plusieurs personnes s’appellent ainsi" in text) == (400, True)
    assert re.search("Quentin Dupuis, .*Rémy Quentin, ", text)
    assert press(place, "/invitations", client, member="other", **SATURDAY)[0] == 303
    assert [one.member for one in invited(place)] == ["other"]
    assert press(place, "/invitations", client, member="other", **SATURDAY | {"who": "brigitte"})[0] == 303
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
