"""What is kept from before a change is what would be made anew: short names, and everybody with their badges."""

import dataclasses
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.bundle import Bundle, Credential, Member, Pass, Role
from server.changes.bundle import put as put_parts
from server.queries.differing import differing
from server.queries.names import Called, called, short_names
from server.queries.people import Directory
from server.queries.treasury import report
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle

pytestmark = pytest.mark.sqlite

TODAY = date(2026, 11, 24)

NAMES = ("Marie Martin", "marie MARTIN", "Marie Moreau", "M. Martin", ". Marie", "Marie", "Zoé Li", "..", "ß A", "SS A")
WORDS = st.sampled_from(NAMES)
WHO = st.integers(0, 5)
TIER = st.sampled_from(["nomad", "team"])
EDIT = st.one_of(
    st.tuples(st.just("member"), WHO, WORDS, TIER),
    st.tuples(st.just("end"), WHO),
    st.tuples(st.just("badge"), WHO, st.sampled_from(["active", "lost"])),
    st.tuples(st.just("carnet"), WHO, st.integers(1, 9)),
    st.tuples(st.just("order"), st.permutations(range(6))),
)
STORIES = st.lists(st.lists(EDIT, max_size=3), min_size=1, max_size=8)


def after(site: Bundle, edit: Sequence[object]) -> Bundle:
    """What does not change is the same object afterwards, as the tables' exporter has it."""
    match edit:
        case ("member", int(who), str(name), str(tier)):
            return replace(site, members=put(site.members, Member(f"m{who}", name, tier, (Role.GARDIEN,))))
        case ("end", int(who)):
            return replace(
                site,
                members=tuple(one for one in site.members if one.id != f"m{who}"),
                credentials=tuple(one for one in site.credentials if one.member != f"m{who}"),
                passes=tuple(one for one in site.passes if one.member != f"m{who}"),
            )
        case ("badge", int(who), str(status)) if f"m{who}" in {one.id for one in site.members}:
            badge = Credential(f"04AABBCC{who:02X}", f"m{who}", status=status)  # type: ignore[arg-type]
            return replace(site, credentials=put(site.credentials, badge, "uid"))
        case ("carnet", int(who), int(total)) if f"m{who}" in {one.id for one in site.members}:
            return replace(site, passes=put(site.passes, Pass(f"p{who}", f"m{who}", "half_day", total)))
        case ("order", [*order]):
            return replace(site, members=ordered(site.members, order), credentials=ordered(site.credentials, order))
    return site


def put(listed: tuple[object, ...], part: object, key: str = "id") -> tuple[object, ...]:
    places = {getattr(one, key): place for place, one in enumerate(listed)}
    place = places.get(getattr(part, key), len(listed))
    return (*listed[:place], part, *listed[place + 1 :])


def ordered(listed: tuple[object, ...], order: list[object]) -> tuple[object, ...]:
    return tuple(listed[place] for place in order if isinstance(place, int) and place < len(listed))  # some go with it


@settings(max_examples=60, deadline=None)
@given(story=STORIES)
def test_what_is_kept_over_changes_is_what_is_made_anew(story: list[list[Sequence[object]]]) -> None:
    site = replace(small_bundle(), members=(), credentials=(), passes=())
    names: tuple[Bundle, Called] = (site, called(site))
    people = (site, Directory(site))
    for edits in story:
        for edit in edits:
            site = after(site, edit)
        names, people = (site, called(site, names)), (site, Directory(site, people))
        assert names[1] == called(site)
        fresh, kept = Directory(site), people[1]
        assert [told(one) for one in kept.people.items()] == [told(one) for one in fresh.people.items()]
        assert (kept.tiers, kept.roles) == (fresh.tiers, fresh.roles)
        for asked in ("marie", "BB CC 01", "cc"):
            assert [one.place for one in kept.find(asked)] == [one.place for one in fresh.find(asked)]


def told(one: tuple[str, object]) -> tuple[object, ...]:
    return one[0], *(getattr(one[1], name) for name in ("member", "place", "badges", "carnets"))


def test_only_who_could_be_taken_for_who_came_is_named_anew() -> None:
    zoe, marie, other = (Member(name, f"{name.title()} M", "nomad") for name in ("zoe", "marie", "other"))
    before = {"zoe": "kept as it was", "marie": "Marie M."}
    names = short_names((zoe, marie, other), {}, ((zoe, marie), before))
    assert names == {"zoe": "kept as it was", "marie": "Marie M.", "other": "Other\N{NO-BREAK SPACE}M"}


def test_what_changed_is_told_and_another_order_is_not_taken_for_no_change() -> None:
    a, b, c, d = ([letter] for letter in "abcd")
    assert differing((a, b, c), (a, b, c)) == []
    assert differing((a, b, c), (a, d, c)) == [b, d]
    assert differing((a, b, c), (b, c, d)) == [a, d]
    assert differing((a, b, c), (a, c, b)) is None
    assert differing((), (a,)) == [a]


class Raced(dict[str, object]):
    """What all that is in force has in common; another thread writes into it what is of an older bundle, at once."""

    def __init__(self, older: object) -> None:
        super().__init__()
        self._older = older

    def __setitem__(self, what: str, pair: object) -> None:
        super().__setitem__(what, self._older)


def test_a_page_of_an_older_bundle_gives_none_of_its_people_to_what_is_in_force(place: Place) -> None:
    older = replace(place.publisher.current.bundle, members=(), credentials=(), passes=())
    memory = {"people": Raced((older, Directory(older))), "called": Raced((older, called(older)))}
    current = dataclasses.replace(place.publisher.current, memory=memory)
    members = {one.id for one in current.bundle.members}
    assert (set(current.people.people), set(current.called.members)) == (members, members)


def test_after_a_change_nobody_else_is_made_or_looked_at_anew(place: Place) -> None:
    """However many members there are: what is kept is the same object."""

    def seen() -> tuple[dict[str, object], dict[str, object]]:
        current = place.publisher.current
        with place.database.reading() as session:
            current.people.watch(session, current, place.now)
            report(session, current, TODAY, TODAY)
        kept = {
            f"{what} of {who}": one for what in ("concerns", "accounts") for who, one in current.memory[what].items()
        }
        return dict(current.people.people), kept

    people, kept = seen()
    with place.database.transaction() as session:
        put_parts(session, [Member("new", "Nouvelle Venue", "nomad"), Credential("04AABBCC01", "zoe")], DECIDED)
    place.publish()
    people_after, kept_after = seen()
    assert {who for who, one in people_after.items() if people.get(who) is not one} == {"new", "zoe"}
    assert {which for which, one in kept_after.items() if kept.get(which) is not one} == {
        "concerns of new",
        "concerns of zoe",
    }
    assert "accounts of zoe" in kept
