"""The list of members: whom to look after first, search as people type, views, pages of a bounded size."""

from datetime import date

import pytest
from msgspec.structs import replace

from policy.bundle import Credential, Member, Pass
from policy.facts import Paid
from server.changes.bundle import import_bundle, put
from server.database.types import moment
from server.ingest.facts import ToldBy, store
from server.pages.members import PER_PAGE
from server.queries.current import Current
from server.queries.people import Directory, folded
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle
from tests.support_site import at

NOBODY = "Personne ne s’appelle ainsi"


def listed(place: Place, query: str = "") -> str:
    return place.page(f"/members{query}", place.staff())


def test_the_list_is_the_teams(place: Place) -> None:
    answer = place.client.get("/members")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/members")


def test_those_to_look_after_stand_first_with_what_it_is(place: Place) -> None:
    first, _, others = listed(place).partition("Les autres, de A à Z")
    assert "5 membres 2 demandent quelque chose" in first.replace("\N{NO-BREAK SPACE}", " ")
    assert "Brigitte Oudin nomad ···0000 badge perdu à remplacer" in first
    assert "Zoé Wibaux carnet 13 sur 15 accès suspendu sans badge" in first
    assert "Alice Étienne team, équipe" in others
    assert "Rémy Quentin" in others
    assert "Zoé" not in others


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("remy", "Rémy Quentin"),
        ("ÉTIENNE", "Alice Étienne"),
        ("quen rém", "Rémy Quentin"),
        ("zoe wib", "Zoé Wibaux"),
        ("04b1 0000", "Brigitte Oudin"),
        ("…1ce0", "Alice Étienne"),
    ],
)
def test_a_part_of_a_name_or_the_end_of_a_badge_finds_somebody(place: Place, asked: str, found: str) -> None:
    page = listed(place, f"?q={asked}")
    names = {member.name for member in small_bundle().members}
    assert {name for name in names if name in page} == {found}


@pytest.mark.parametrize("asked", ["ce0", "nobody", "%25", "' OR 1=1 --"])
def test_what_nobody_is_called_says_so(place: Place, asked: str) -> None:
    assert NOBODY in listed(place, f"?q={asked}")


@pytest.mark.parametrize(
    ("view", "found"),
    [
        ("watch", {"Brigitte Oudin", "Zoé Wibaux"}),
        ("tier:nomad", {"Brigitte Oudin", "Grégoire Vasseur"}),
        ("role:gardien", {"Grégoire Vasseur"}),
        ("former", set()),
    ],
)
def test_a_view_shows_some_of_them(place: Place, view: str, found: set[str]) -> None:
    page = listed(place, f"?view={view}")
    assert {member.name for member in small_bundle().members if member.name in page} == found


def test_who_left_is_found_among_the_former(place: Place) -> None:
    bundle = small_bundle()
    members = tuple(member for member in bundle.members if member.id != "zoe")
    with place.database.transaction() as session:
        import_bundle(session, replace(bundle, members=members, passes=()), DECIDED)
    place.publish()
    assert "Zoé" not in listed(place)
    assert "Anciens membres Membres" in listed(place, "?view=former&q=zoe")
    assert "Zoé Wibaux" in listed(place, "?view=former&q=zoe")
    assert "Zoé Wibaux n’est plus membre" in place.page("/members/zoe", place.staff())


@pytest.mark.parametrize("query", ["?view=tier:none", "?view=x", "?page=0", "?page=2", "?page=x", "?page=99999999"])
def test_an_address_that_names_what_is_not_there_is_refused(place: Place, query: str) -> None:
    assert place.staff().get(f"/members{query}").status_code == 400


def test_dates_and_carnets_are_looked_after_before_they_end(place: Place) -> None:
    soon = Member(id="lea", name="Léa <b>Lambert</b>", tier="carnet", valid_until=date(2026, 11, 30))
    over = Member(id="luc", name="Luc Noël", tier="nomad", valid_until=date(2026, 11, 23))
    spent = Pass(id="c2", member="lea", unit="half_day", total=1, used=("2026-11-20am",))
    badge = Credential(uid="0461AABBCC0001", member="lea")
    with place.database.transaction() as session:
        put(session, [soon, over, spent, badge], DECIDED)
    place.publish()
    text = place.staff().get("/members").text
    assert "Léa &lt;b&gt;Lambert&lt;/b&gt;" in text
    page = listed(place)
    assert "adhésion finit le lun. 30 nov. carnet épuisé depuis le ven. 20 nov." in page.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "adhésion terminée le lun. 23 nov." in page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("first", "total", "said"),
    [(date(2026, 12, 1), 15, False), (date(2026, 12, 2), 15, True), (date(2026, 12, 1), 0, True)],
)
def test_a_carnet_that_ends_is_no_worry_where_the_next_follows_it(
    place: Place, first: date, total: int, said: bool
) -> None:
    lea = Member(id="lea", name="Léa Lambert", tier="carnet")
    badge = Credential(uid="0461AABBCC0001", member="lea")
    ends = Pass(id="c2", member="lea", unit="half_day", total=15, valid_until=date(2026, 11, 30))
    follows = Pass(id="c3", member="lea", unit="half_day", total=total, valid_from=first)
    with place.database.transaction() as session:
        put(session, [lea, badge, ends, follows], DECIDED)
    place.publish()
    assert ("carnet finit" in listed(place)) is said


def test_a_formule_that_is_called_like_a_role_is_said_once(place: Place) -> None:
    with place.database.transaction() as session:
        bundle = small_bundle()
        tiers = tuple(replace(one, name="équipe") if one.id == "team" else one for one in bundle.tiers)
        import_bundle(session, replace(bundle, tiers=tiers), DECIDED)
    place.publish()
    page = listed(place)
    assert "équipe, équipe" not in page
    assert "équipe · 1" in page
    assert "rôle équipe · 1" in page


def test_a_half_day_that_is_paid_is_seen_at_once(place: Place) -> None:
    assert "13 sur 15" in listed(place)
    with place.database.transaction() as session:
        store(session, [Paid("zoe", "2026-11-24am")], ToldBy("front", moment(at(19))))
    assert "12 sur 15" in listed(place)


def test_the_other_language_shows_the_same_search(place: Place) -> None:
    text = place.staff().get("/members", query_string={"q": 'é&"<', "view": "all", "lang": "fr"}).text
    assert 'href="?lang=en&amp;q=%C3%A9%26%22%3C&amp;view=all"' in text


def test_it_reads_in_english(place: Place) -> None:
    page = listed(place, "?lang=en")
    assert "5 members 2 need something" in page
    assert "badge lost to be replaced" in page


@pytest.mark.sqlite
def test_of_ten_thousand_members_none_is_folded_again_for_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what takes the time: it is done once for each change of the site."""
    names = ("Élise Garnier", "Rémy Quentin", "Zoé Wibaux", "Anaïs Lœvenbruck")
    members = tuple(Member(id=f"m{n}", name=f"{names[n % 4]} {n}", tier="nomad") for n in range(10_000))
    directory = Directory(replace(small_bundle(), members=members))
    read: list[str] = []

    def counted(name: str) -> str:
        read.append(name)
        return folded(name)

    monkeypatch.setattr("server.queries.people.folded", counted)
    assert [one.member.id for one in directory.find("elise 9996")] == ["m9996"]
    assert read == ["elise 9996"]


def test_names_are_read_as_people_type_them() -> None:
    assert folded("Anaïs LŒVENBRUCK-d’Ørsted") == "anais loevenbruck-d'orsted"


def test_a_page_holds_so_many_and_leads_on(place: Place) -> None:
    more = [Member(id=f"m{n:03}", name=f"Marie {n:03}", tier="nomad") for n in range(PER_PAGE + 1)]
    badges = [Credential(uid=f"04{n:012X}", member=one.id) for n, one in enumerate(more, 1)]
    with place.database.transaction() as session:
        put(session, [*more, *badges], DECIDED)
    place.publish()
    client = place.staff()
    first, second = place.page("/members?q=marie", client), place.page("/members?q=marie&page=2", client)
    assert f"1 à {PER_PAGE} sur {PER_PAGE + 1} · les suivants" in first
    assert f"Marie {PER_PAGE:03}" not in first
    assert f"{PER_PAGE + 1} à {PER_PAGE + 1} sur {PER_PAGE + 1} · les précédents" in second


def test_a_list_that_is_whole_counts_no_lines(place: Place) -> None:
    assert "sur 1" not in place.page("/members?q=brigitte", place.staff())


def test_a_members_page_says_whether_they_get_in(place: Place) -> None:
    client = place.staff()
    lost = place.page("/members/brigitte", client).replace("\N{NO-BREAK SPACE}", " ")
    assert "Brigitte Oudin n’entre pas : badge perdu, à remplacer" in lost
    assert "Dernier jour jeu. 31 déc." in lost
    assert "Rémy Quentin : tout est en ordre" in place.page("/members/remy", client).replace("\N{NO-BREAK SPACE}", " ")
    assert "13 demi-journées sur 15" in place.page("/members/zoe", client).replace("\N{NO-BREAK SPACE}", " ")
    assert client.get("/members/nobody").status_code == 404


def test_a_whole_number_of_a_badge_stands_on_no_page(place: Place) -> None:
    current: Current = place.publisher.current
    for path in ("/members", *(f"/members/{one.id}" for one in current.bundle.members)):
        text = place.staff().get(path).text.upper()
        assert not [badge for badge in current.bundle.credentials if badge.uid.upper() in text]
