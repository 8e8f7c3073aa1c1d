"""What holds at every door and machine, for every site, member, badge, state and instant."""

import copy
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.case import Decision
from policy.presence import Move
from policy.reasons import Reason
from policy.ruleset import RuleSet
from policy.state import SiteState, is_held
from policy.terms import DAY, Instant
from tests.support_random import (
    MACHINES,
    NAMES,
    OUT,
    READERS,
    UIDS,
    Knowledge,
    decide,
    knowledge,
    later_unit,
    name,
    quarter,
    rules_of,
    sites,
    week,
)
from wire.facts import DOOR_GRANTS

LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
AT_BOTH = {
    Reason.LOCKDOWN,
    Reason.UNKNOWN_CREDENTIAL,
    Reason.CREDENTIAL_BLOCKED,
    Reason.MEMBER_SUSPENDED,
    Reason.MEMBERSHIP_NOT_VALID,
    Reason.RULES_STALE,
    Reason.CLOCK_UNTRUSTED,
    Reason.OUTSIDE_HOURS,
}
AT_DOORS = AT_BOTH | {
    Reason.NOT_ALLOWED_HERE,
    Reason.ALREADY_INSIDE,
    Reason.PASS_EXHAUSTED,
    Reason.SITE_FULL,
}
MACHINE_GRANTS = {Reason.SESSION_ENDED, Reason.MACHINE_RESET, Reason.BOOKING, Reason.WALK_UP}
AT_MACHINES = set(Reason) - AT_DOORS - DOOR_GRANTS - MACHINE_GRANTS | AT_BOTH


@dataclass(frozen=True)
class At:
    """A tap at some instant."""

    reader: str
    uid: str
    when: Instant
    second: bool

    def decided(self, rules: RuleSet, state: SiteState, by: Instant = 0) -> Decision:
        return decide(rules, state, self.reader, self.uid, self.when + by, self.second)


taps = st.builds(At, st.sampled_from(READERS), st.sampled_from(UIDS), quarter, st.booleans())
machine_taps = st.builds(
    At, st.sampled_from([f"{one}-reader" for one in MACHINES]), st.sampled_from(UIDS), quarter, st.booleans()
)


@LAW
@given(sites, knowledge, st.sampled_from(OUT), st.sampled_from(UIDS), quarter, st.booleans())
def test_leaving_is_never_refused(
    site: Any, known: Knowledge, reader: str, uid: str, when: Instant, second: bool
) -> None:
    decision = decide(rules_of(site), known.state(), reader, uid, when, second)
    who = dict(zip(UIDS, NAMES, strict=False)).get(uid)
    assert replace(decision, marks=(), closed=None) == Decision(True, Reason.EGRESS, who)


@LAW
@given(sites, knowledge, st.sampled_from(OUT), st.sampled_from(UIDS), quarter, st.booleans())
def test_a_closing_takes_out_nobody_who_may_stay(
    site: Any, known: Knowledge, reader: str, uid: str, when: Instant, second: bool
) -> None:
    """Nor does it happen while somebody holds the place, or by anybody's badge but a gardien's."""
    rules, state = rules_of(site), known.state()
    decision = decide(rules, state, reader, uid, when, second)
    if decision.closed is None and not decision.marks:
        return
    assert decision.member is not None
    state.presence.apply(decision.member, Move(when, inside=False))
    assert rules.members[decision.member].gardien
    assert not is_held(rules, state, when)
    assert set(decision.closed or ()) <= state.presence.inside(rules.day_start(when))
    for who in decision.closed or ():
        assert not rules.members[who].staff
        asked = [decide(rules, state, way, UIDS[NAMES.index(who)], when) for way in READERS[: len(OUT)]]
        assert not any(one.granted and one.reason is not Reason.OWN_SHIFT for one in asked)


@LAW
@given(sites, knowledge, machine_taps)
def test_stopping_one_s_own_session_is_never_refused(site: Any, known: Knowledge, tap: At) -> None:
    state, rules = known.state(), rules_of(site)
    running = state.sessions.running(tap.reader.removesuffix("-reader"), tap.when)
    if running is not None:
        mine = At(tap.reader, UIDS[NAMES.index(running.member)], tap.when, tap.second)
        assert mine.decided(rules, state) == Decision(True, Reason.SESSION_ENDED, running.member)


@LAW
@given(sites, knowledge, taps)
def test_a_decision_carries_a_reason_of_its_kind_and_what_belongs_to_it(site: Any, known: Knowledge, tap: At) -> None:
    decision = tap.decided(rules_of(site), known.state())
    at_machine = tap.reader.endswith("-reader")
    grants = MACHINE_GRANTS if at_machine else DOOR_GRANTS - {Reason.EGRESS}
    assert decision.reason in (grants if decision.granted else AT_MACHINES if at_machine else AT_DOORS)
    assert decision.member == dict(zip(UIDS, NAMES, strict=False)).get(tap.uid)
    if at_machine or not decision.granted:
        assert (decision.marks, decision.pays, decision.adhoc) == ((), None, None)
    if decision.until is not None:
        assert decision.reason in (Reason.BOOKING, Reason.WALK_UP)
        assert decision.until >= tap.when


@LAW
@given(sites, knowledge, taps)
def test_nobody_gets_in_or_on_with_a_badge_that_is_revoked_or_unknown_or_when_suspended(
    site: Any, known: Knowledge, tap: At
) -> None:
    members = {part["id"]: part for part in site["members"]}
    badge = next((part for part in site["credentials"] if part["uid"] == tap.uid), None)
    usable = badge and badge["status"] == "active" and members[badge["member"]]["status"] == "active"
    decision = tap.decided(rules_of(site), known.state())
    assert usable or not decision.granted or decision.reason == Reason.SESSION_ENDED


@LAW
@given(sites, knowledge, taps)
def test_in_a_lockdown_only_the_staff_get_in_or_on(site: Any, known: Knowledge, tap: At) -> None:
    decision = tap.decided(rules_of(site), known.but(lockdown=True).state())
    staff = {part["id"] for part in site["members"] if "staff" in part["roles"]}
    assert decision.reason in (Reason.LOCKDOWN, Reason.SESSION_ENDED) or decision.member in staff


@LAW
@given(sites, knowledge, taps, week, st.booleans())
def test_longer_hours_never_refuse_what_shorter_ones_granted(
    site: Any, known: Knowledge, tap: At, more: Any, of_staff: bool
) -> None:
    """But for who came as a guest and now might come anyway, with nothing left on a pass; of two taps the first."""
    longer = copy.deepcopy(site)
    for hours in [longer["site"]["staff_hours"]] if of_staff else [part["hours"] for part in longer["tiers"]]:
        for day, ranges in more.items():
            hours.setdefault(day, []).extend(ranges)
    first = At(tap.reader, tap.uid, tap.when, second=False)
    before, after = first.decided(rules_of(site), known.state()), first.decided(rules_of(longer), known.state())
    if before.reason in (Reason.INVITED, Reason.EVENT):
        assert after.granted or after.reason == Reason.PASS_EXHAUSTED
    else:
        assert after.granted or not before.granted


@LAW
@given(sites, knowledge, machine_taps, week)
def test_longer_machine_hours_never_refuse_nor_shorten_a_session(
    site: Any, known: Knowledge, tap: At, more: Any
) -> None:
    longer = copy.deepcopy(site)
    for machine in longer["machines"]:
        if any(machine["hours"].values()):
            for day, ranges in more.items():
                machine["hours"].setdefault(day, []).extend(ranges)
    before, after = tap.decided(rules_of(site), known.state()), tap.decided(rules_of(longer), known.state())
    if before.granted:
        assert after.reason == before.reason
        assert after.until is None or (before.until is not None and after.until >= before.until)


@LAW
@given(sites, knowledge, taps)
def test_with_fresher_rules_nobody_loses_what_staleness_granted(site: Any, known: Knowledge, tap: At) -> None:
    rules = rules_of(site)
    before = tap.decided(rules, known.state())
    if before.granted:
        assert tap.decided(rules, known.but(not_after=max(known.not_after, tap.when)).state()) == before


@LAW
@given(sites, knowledge, taps)
def test_to_ask_is_to_change_nothing(site: Any, known: Knowledge, tap: At) -> None:
    rules, state = rules_of(site), known.state()
    tables = ("units", "adhoc", "busy", "stopped")
    before = copy.deepcopy([getattr(state, table) for table in tables])
    assert tap.decided(rules, state) == tap.decided(rules, state) == tap.decided(rules, known.state())
    assert [getattr(state, table) for table in tables] == before


@LAW
@given(sites, knowledge, taps, st.randoms(use_true_random=False))
def test_the_order_of_facts_is_irrelevant(site: Any, known: Knowledge, tap: At, chance: random.Random) -> None:
    """But for a machine on which two run at once: no edge lets that happen."""
    told = [*known.facts, *known.facts]
    shuffled = known.but(facts=tuple(chance.sample(told, len(told))))
    rules, place = rules_of(site), tap.reader.removesuffix("-reader")
    if sum(one.runs(tap.when) for one in known.state().sessions.of_machine(place)) < 2:
        one, other = tap.decided(rules, known.state()), tap.decided(rules, shuffled.state())
        assert one == other


def moved(written: str | None, weeks: int) -> str | None:
    """A date or time of the bundle, whole weeks later."""
    if written is None:
        return None
    return str(date.fromisoformat(written[:10]) + timedelta(weeks=weeks)) + written[10:]


DATED = (
    ("members", ("valid_from", "valid_until")),
    ("credentials", ("valid_until",)),
    ("passes", ("valid_until",)),
    ("certifications", ("until",)),
    *((collection, ("start", "end")) for collection in ("shifts", "events", "invitations", "bookings")),
)


def shifted(site: dict[str, Any], weeks: int) -> dict[str, Any]:
    later = copy.deepcopy(site)
    for collection, keys in DATED:
        for part in later[collection]:
            part.update({key: moved(part[key], weeks) for key in keys})
    for carnet in later["passes"]:
        carnet["used"] = [moved(used, weeks) for used in carnet["used"]]
    return later


def of_weeks_later(decision: Decision, by: Instant) -> Decision:
    return replace(
        decision,
        until=None if decision.until is None else decision.until + by,
        pays=None if decision.pays is None else later_unit(decision.pays, by),
        adhoc=None if decision.adhoc is None else (decision.adhoc[0] + by, decision.adhoc[1] + by),
    )


@LAW
@given(sites, knowledge, taps, st.integers(1, 12))
def test_a_story_shifted_by_weeks_without_a_clock_change_ends_the_same(
    site: Any, known: Knowledge, tap: At, weeks: int
) -> None:
    by = weeks * 7 * DAY
    then = tap.decided(rules_of(shifted(site, weeks), by), known.state(by), by)
    assert then == of_weeks_later(tap.decided(rules_of(site), known.state()), by)


@LAW
@given(sites, knowledge, taps, st.randoms(use_true_random=False))
def test_the_order_of_the_bundle_is_irrelevant(site: Any, known: Knowledge, tap: At, chance: random.Random) -> None:
    """A member has one pass here: of several the order counts."""
    shuffled = {key: chance.sample(part, len(part)) if isinstance(part, list) else part for key, part in site.items()}
    assert tap.decided(rules_of(shuffled), known.state()) == tap.decided(rules_of(site), known.state())


@LAW
@given(sites, knowledge, taps, name, st.randoms(use_true_random=False))
def test_what_becomes_of_a_member_who_is_no_gardien_changes_nothing_for_others(
    site: Any, known: Knowledge, tap: At, other: str, chance: random.Random
) -> None:
    changed = copy.deepcopy(site)
    person = next(part for part in changed["members"] if part["id"] == other)
    if UIDS[NAMES.index(other)] == tap.uid or "gardien" in person["roles"]:
        return
    person.update(status="suspended", valid_until="2026-11-01", tier=chance.choice(["t0", "t1", "t2"]), roles=[])
    changed["passes"] = [part for part in changed["passes"] if part["member"] != other]
    changed["credentials"] = [part for part in changed["credentials"] if part["member"] != other]
    changed["certifications"] = [part for part in changed["certifications"] if part["member"] != other]
    assert tap.decided(rules_of(changed), known.state()) == tap.decided(rules_of(site), known.state())


@LAW
@given(sites, knowledge, taps)
def test_an_entry_pays_once(site: Any, known: Knowledge, tap: At) -> None:
    rules, state = rules_of(site), known.state()
    decision = tap.decided(rules, state)
    if decision.pays is not None:
        assert decision.member is not None
        state.units[decision.member].add(decision.pays)
        assert tap.decided(rules, state) == replace(decision, pays=None)
