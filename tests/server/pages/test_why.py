"""One refusal explained: to whoever was refused, and to the team, who leaves a trace."""

import pytest

from policy import door, machine
from policy.reasons import Reason
from server.queries.history import LAST_ID, Passage, refusals
from server.queries.looks import looks
from server.text.rule_lines import QUESTIONS, lines
from tests.support_pages import Place, plain
from tests.support_site import at


def refused(place: Place, who: str | None) -> int:
    """The id of the refusal of today."""
    with place.database.reading() as session:
        found = refusals(session, at(4), at(23), 50)
    return next(one.id for one in found if isinstance(one, Passage) and one.member == who)


def why(place: Place, which: int, who: str | None = None) -> str:
    client = place.member(who) if who else place.staff()
    return place.page(f"/why/{which}", client).replace("\N{NO-BREAK SPACE}", " ")


def test_a_member_reads_why_and_what_helps(place: Place) -> None:
    said = why(place, refused(place, "zoe"), "zoe")
    assert "9 h 10" in said
    assert "Refusé : votre accès est suspendu : parlez-en à l’équipe" in said
    assert "Ce qui aide En parler avec l’équipe." in said
    assert "Vous et l’équipe. Sur place, la lampe a seulement montré « voir l’accueil »." in said
    with place.database.reading() as session:
        assert looks(session, "zoe") == []


def test_the_lines_stand_in_order_up_to_the_one_that_decided(place: Place) -> None:
    said = why(place, refused(place, "zoe"), "zoe")
    _, _, rules = said.partition("dans l’ordre")
    assert (
        "1 Sortie ? non 2 Lieu confiné ? non 3 Badge inconnu ? non 4 Badge perdu, volé, rendu ou périmé ? non" in rules
    )
    assert "5 Accès suspendu ? oui : refusé" in rules
    assert "6 Hors des dates de l’adhésion ? pas regardé" in rules
    assert "14 Alors, entrez pas atteint" in rules


def test_a_door_lets_in_and_a_machine_starts(place: Place) -> None:
    assert lines(Reason("machine_locked_out"), at_machine=True)[-1].question == "Alors, elle démarre"
    assert lines(Reason("member_suspended"), at_machine=False)[-1].question == "Alors, entrez"


def test_the_team_reads_anybodys_and_the_member_sees_that(place: Place) -> None:
    said = why(place, refused(place, "zoe"))
    assert "Refusé : accès suspendu" in said
    assert "En parler avec le membre, lever la suspension." in said
    assert "Voir Zoé W." in said
    with place.database.reading() as session:
        [look] = looks(session, "zoe")
    assert (look.by, look.page) == ("equipe", "why")
    assert "Votre fiche a été lue 1 fois. equipe" in place.page("/me", place.member("zoe")).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_an_unknown_badge_is_the_teams_alone(place: Place) -> None:
    which = refused(place, None)
    assert "L’équipe seule." in why(place, which)
    assert place.member("zoe").get(f"/why/{which}").status_code == 404


def test_what_is_not_theirs_gone_or_granted_is_all_the_same_to_a_member(place: Place) -> None:
    which, client = refused(place, "zoe"), place.member("remy")
    pages = {plain(client.get(f"/why/{one}").text) for one in (which, 1, 999_999, LAST_ID, LAST_ID + 1)}
    assert len(pages) == 1
    answer = client.get(f"/why/{which}")
    assert answer.status_code == 404
    assert "Ce passage est effacé." in answer.text
    assert "suspendu" not in answer.text


def test_links_lead_there(place: Place) -> None:
    link = f'href="/why/{refused(place, "zoe")}"'
    assert link in place.member("zoe").get("/me").text
    assert link in place.staff().get("/today").text


@pytest.mark.sqlite
def test_every_line_of_both_tables_is_a_question_and_every_refusal_is_one_of_them(place: Place) -> None:
    names = [line.applies.__name__ for line in (*door.LINES, *machine.LINES)]
    assert set(names) == set(QUESTIONS)
    grants = {"egress", "staff", "own_shift", "always", "tier_hours", "staffed_hours", "gardien_present", "invited"}
    grants |= {"event", "gardien_grace", "session_ended", "machine_reset", "booking", "walk_up"}
    assert set(Reason) - grants <= set(names)
