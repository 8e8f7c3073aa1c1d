"""Both tables as a whole: of two lines that apply at once the earlier one decides, for any two of them.

Ines taps on the working Tuesday at ten. Each line has a cause, which makes it apply to her tap.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from policy import door, machine
from policy.case import Decision, Line, Tap, case_of, first_of
from policy.reasons import Reason
from policy.terms import Instant
from tests.support_policy import TUESDAY, at, badge, compiled, in_since, known, read, session, site

NOW: Instant = at(TUESDAY + "10:00")
UID, OTHER = "04AA0001", "04AA0002"


class Scene:
    """A site, a state and a tap that nothing speaks against. Causes change it."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.member: dict[str, Any] = {"id": "ines", "name": "Ines", "tier": "half", "roles": []}
        self.tier: dict[str, Any] = {"id": "half", "grounds": ["staffed"], "pass": "half_day"}
        self.credentials: list[dict[str, Any]] = [{"uid": UID, "member": "ines"}]
        self.machine: dict[str, Any] = {"id": "cnc", "kind": "cnc", "reader": "cnc"}
        self.certifications: list[dict[str, Any]] = [{"member": "ines", "kind": "cnc"}]
        self.parts: dict[str, Any] = {"shifts": [], "quotas": [], "bookings": []}
        self.passes = 10
        self.here = ["ines"] if reader == "cnc" else []
        self.state: dict[str, Any] = {}
        self.sessions: list[str] = []

    def decide(self) -> Decision:
        rules = compiled(read(self.bundle()), NOW)
        here = in_since(TUESDAY + "09:00", *self.here)
        sessions = (session("cnc", who, TUESDAY + "09:30") for who in self.sessions)
        state = known(TUESDAY + "10:00", here, *sessions, **self.state)
        decide = machine.decide if self.reader == "cnc" else door.decide
        return decide(rules, state, Tap(self.reader, badge(UID)), NOW)

    def bundle(self) -> dict[str, Any]:
        return site(
            members=[self.member, {"id": "omar", "name": "Omar", "tier": "half"}],
            tiers=[self.tier],
            credentials=[*self.credentials, {"uid": OTHER, "member": "omar"}],
            passes=[{"id": "p", "member": "ines", "unit": "half_day", "total": self.passes}],
            machines=[self.machine],
            certifications=self.certifications,
            **self.parts,
        )


Cause = Callable[[Scene], object]
BADGE: dict[str, tuple[Reason, Cause]] = {
    "2": (Reason.LOCKDOWN, lambda scene: scene.state.update(lockdown=True)),
    "3": (Reason.UNKNOWN_CREDENTIAL, lambda scene: scene.credentials.clear()),
    "4": (
        Reason.CREDENTIAL_BLOCKED,
        lambda scene: [one.update(status="stolen", valid_until="2026-11-01") for one in scene.credentials],
    ),
    "5": (Reason.MEMBER_SUSPENDED, lambda scene: scene.member.update(status="suspended")),
    "6": (Reason.MEMBERSHIP_NOT_VALID, lambda scene: scene.member.update(valid_until="2026-11-01")),
}


def _full(scene: Scene) -> None:
    scene.here.append("omar")
    scene.parts.update(site_capacity=1, site_at_capacity="deny")


def _inside(scene: Scene) -> None:
    scene.here.append("ines")
    scene.parts.update(site_anti_passback="hard", access_points=site()["access_points"][:1])


def _on_shift(scene: Scene) -> None:
    scene.member["roles"].append("gardien")
    hours = {"start": TUESDAY + "10:00", "end": TUESDAY + "12:00"}
    scene.parts["shifts"].append({"id": "s", "gardien": "ines", **hours})


def _booked(scene: Scene) -> None:
    hours = {"start": TUESDAY + "09:50", "end": TUESDAY + "12:00"}
    scene.parts["bookings"].append({"id": "b", "machine": "cnc", "member": "omar", **hours})


DOOR: dict[str, tuple[Reason, Cause]] = {
    "1": (Reason.EGRESS, lambda scene: setattr(scene, "reader", "front-out")),
    **BADGE,
    "7": (Reason.NOT_ALLOWED_HERE, lambda scene: scene.tier.update(access_points=[])),
    "7a": (Reason.RULES_STALE, lambda scene: scene.state.update(not_after=NOW - 1)),
    "7b": (Reason.CLOCK_UNTRUSTED, lambda scene: scene.state.update(clock_trusted=False)),
    "8": (Reason.STAFF, lambda scene: scene.member["roles"].append("staff")),
    "9": (Reason.ALREADY_INSIDE, _inside),
    "10": (Reason.OWN_SHIFT, _on_shift),
    "11": (Reason.OUTSIDE_HOURS, lambda scene: scene.parts.update(site_staff_hours={})),
    "12": (Reason.PASS_EXHAUSTED, lambda scene: setattr(scene, "passes", 0)),
    "13": (Reason.SITE_FULL, _full),
    "14": (Reason.STAFFED_HOURS, lambda scene: None),
}
NEVER_TOGETHER_AT_A_DOOR = {
    ("2", "8"),  # the staff pass a lockdown,
    ("7a", "8"),  # stale rules, as gardiens do,
    ("7a", "10"),
    ("7b", "8"),  # and an untrusted clock
    ("7b", "10"),
    ("9", "13"),  # who is inside already makes no site full
}

MACHINE: dict[str, tuple[Reason, Cause]] = {
    "1": (Reason.SESSION_ENDED, lambda scene: scene.sessions.append("ines")),
    **BADGE,
    "6a": (Reason.RULES_STALE, lambda scene: scene.state.update(not_after=NOW - 1)),
    "6b": (Reason.CLOCK_UNTRUSTED, lambda scene: scene.state.update(clock_trusted=False)),
    "7": (
        Reason.MACHINE_RESET,
        lambda scene: (scene.member["roles"].append("fab_manager"), scene.state.update(stopped={"cnc"})),
    ),
    "8": (Reason.MACHINE_LOCKED_OUT, lambda scene: scene.machine.update(locked_out={"by": "a", "why": "b"})),
    "9": (Reason.MACHINE_BUSY, lambda scene: scene.sessions.append("omar")),
    "10": (Reason.NOT_CERTIFIED, lambda scene: scene.certifications.clear()),
    "11": (
        Reason.CERTIFICATION_EXPIRED,
        lambda scene: [one.update(until="2026-11-23") for one in scene.certifications],
    ),
    "12": (Reason.NOT_INSIDE, lambda scene: scene.here.remove("ines")),
    "13": (Reason.OUTSIDE_MACHINE_HOURS, lambda scene: scene.machine.update(hours={"tue": [["11:00", "12:00"]]})),
    "14": (Reason.OUTSIDE_HOURS, lambda scene: scene.parts.update(site_staff_hours={})),
    "15": (Reason.COMPANION_REQUIRED, lambda scene: scene.machine.update(min_people=2)),
    "16": (Reason.BOOKED_BY_OTHER, _booked),
    "17": (
        Reason.QUOTA_EXHAUSTED,
        lambda scene: scene.parts["quotas"].append({"kind": "cnc", "minutes": 0, "period": "week"}),
    ),
    "18": (Reason.WALK_UP, lambda scene: None),
}
NEVER_TOGETHER_AT_A_MACHINE = {
    ("1", "3"),  # a badge of nobody has no session,
    ("1", "9"),  # one machine has one,
    ("10", "11"),  # and who never had a certification lost none
}


def outcome(reader: str, *causes: Cause) -> Reason:
    scene = Scene(reader)
    for cause in causes:
        cause(scene)
    return scene.decide().reason


@pytest.mark.parametrize("number", DOOR)
def test_each_line_of_the_door_alone(number: str) -> None:
    reason, cause = DOOR[number]
    assert outcome("front-in", cause) == reason


@pytest.mark.parametrize("number", MACHINE)
def test_each_line_of_the_machine_alone(number: str) -> None:
    reason, cause = MACHINE[number]
    assert outcome("cnc", cause) == reason


@pytest.mark.parametrize(
    ("first", "second"), [two for two in combinations(DOOR, 2) if two not in NEVER_TOGETHER_AT_A_DOOR]
)
def test_at_a_door_the_earlier_line_wins(first: str, second: str) -> None:
    assert outcome("front-in", DOOR[second][1], DOOR[first][1]) == DOOR[first][0]


@pytest.mark.parametrize(
    ("first", "second"), [two for two in combinations(MACHINE, 2) if two not in NEVER_TOGETHER_AT_A_MACHINE]
)
def test_at_a_machine_the_earlier_line_wins(first: str, second: str) -> None:
    assert outcome("cnc", MACHINE[second][1], MACHINE[first][1]) == MACHINE[first][0]


def test_the_lines_bear_the_numbers_of_the_tables() -> None:
    assert ["1", *(line.number for line in door.LINES)] == list(DOOR)
    assert [line.number for line in machine.LINES] == list(MACHINE)


def test_a_table_without_a_last_line_is_the_programmer_s_fault() -> None:
    rules = compiled(read(site()), NOW)
    case = case_of(rules, known(TUESDAY + "10:00"), Tap("front-in", ""), rules.readers["front-in"], NOW)
    with pytest.raises(AssertionError, match="the last line of a table decides"):
        first_of((Line("1", lambda case: None),), case)


def test_a_refusal_pays_nothing_marks_nothing_and_has_no_end() -> None:
    for reader, causes in (("front-in", DOOR), ("cnc", MACHINE)):
        for _, cause in causes.values():
            scene = Scene(reader)
            cause(scene)
            decision = scene.decide()
            if not decision.granted:
                assert (decision.until, decision.marks, decision.pays, decision.adhoc) == (None, (), None, None)


def test_rules_are_stale_after_the_last_instant_for_which_they_are_confirmed() -> None:
    scene = Scene("cnc")
    scene.state.update(not_after=NOW - 1)
    assert scene.decide().reason == Reason.RULES_STALE
    scene.state.update(not_after=NOW)
    assert scene.decide().reason == Reason.WALK_UP
