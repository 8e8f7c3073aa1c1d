"""Does everybody on the pages have a name of their own, and everything a name instead of an id?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.bundle import Member
from policy.terms import Direction
from server.queries.names import ReaderOf, alphabetical, called, short_names
from tests.support_server import whole_bundle

TIERS = {"n": "nomade", "r": "résident"}


def short(*people: str) -> list[str]:
    """People written as "Name/tier", in their order."""
    members = [Member(f"m{number}", *person.split("/")) for number, person in enumerate(people)]
    return [name.replace("\N{NO-BREAK SPACE}", " ") for _, name in sorted(short_names(members, TIERS).items())]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Maëlle Bernard", "Maëlle B."), ("Jean-Paul de la Tour", "Jean-Paul T."), ("Cher", "Cher"), ("Bo Li", "Bo L.")],
)
def test_a_short_name(name: str, expected: str) -> None:
    assert short(f"{name}/n") == [expected]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (["Marie Martin/n", "Marie Moreau/n", "Paul Moreau/n"], ["Marie Mar.", "Marie Mor.", "Paul M."]),
        (["Marie Martin/n", "Marie Martinez/n"], ["Marie Martin", "Marie Martine."]),
        (["Marie Martin/n", "marie MARTIN/r"], ["Marie Martin (nomade)", "marie MARTIN (résident)"]),
        (["Marie Martin/n", "Marie Martin/n"], ["Marie Martin (nomade) 1", "Marie Martin (nomade) 2"]),
        (["Marie Martin/n", "Marie Anne Martin/n"], ["Marie Martin", "Marie Anne Martin"]),
        (["Marie/n", "Marie/r"], ["Marie (nomade)", "Marie (résident)"]),
    ],
)
def test_two_of_one_short_name_are_told_apart(people: list[str], expected: list[str]) -> None:
    assert short(*people) == expected


FIRST, LAST = (
    st.sampled_from(["Marie", "marie", "Paul"]),
    st.sampled_from(["Mar", "Martin", "Mar.", "M", "Li", "Marty"]),
)
PEOPLE = st.lists(st.tuples(FIRST, LAST, st.sampled_from(["n", "r"])), max_size=12)


@given(people=PEOPLE)
def test_nobody_shares_a_name_and_everybody_has_one(people: list[tuple[str, str, str]]) -> None:
    names = short(*(f"{first} {last}/{tier}" for first, last, tier in people))
    assert len({name.casefold() for name in names}) == len(people)


def test_names_of_doors_machines_tiers_and_their_readers() -> None:
    bundle = whole_bundle()
    names = called(bundle)
    assert (names.place("front"), names.place("printer")) == ("Porte front", "Imprimante 3D")
    assert names.place("laser") == "laser", "what has no name is called by its id"
    assert names.place("gone") == "gone"
    assert (names.tier("night"), names.tier("team")) == ("Formule de nuit", "team")
    assert (names.kind("printer"), names.kind("gone")) == ("Imprimante 3D", "gone")
    assert names.readers["front-out"] == ReaderOf("front", Direction.OUT)
    assert names.readers["laser-tap"] == ReaderOf("laser", None)
    assert names.member("nobody") is names.member(None) is None


def test_accents_do_not_change_the_order() -> None:
    assert sorted(["Zoé", "Emma", "Élodie", "Éva"], key=alphabetical) == ["Élodie", "Emma", "Éva", "Zoé"]
