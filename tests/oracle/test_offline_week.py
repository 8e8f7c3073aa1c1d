"""Quotas after an offline week are as the independent reading says: each machine counted what it saw, and once all is
told nothing is lost, counted twice, or moved into another week."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from loquet.ask.replay import Desk
from tests.oracle.compare import differences
from tests.oracle.knowledge import Thing
from tests.oracle.reading import read

STORIES = 6
START = datetime.fromisoformat("2026-11-20T09:00:00+01:00")
"""A Friday: the week without a link has a Monday in it, and ten days later a month's end."""
PEOPLE = {"ana": "0A0A0A0A", "bo": "0B0B0B0B"}
EDGES = {"shop": ["front", "p1"], "shed": ["yard", "p2"]}


def week(seed: int) -> Thing:
    """Two edges with a door and a printer each: one, or both, hear nothing for a week, and people print at both."""
    luck = random.Random(seed)
    cut = luck.choice([["shop"], ["shed"], ["shop", "shed"]])
    steps = [_step(START, link={"edge": name, "up": False}) for name in cut]
    asked = {f"{who}:printer": 0 for who in PEOPLE}
    for day in range(luck.randint(7, 10)):
        at = START + timedelta(days=day, minutes=luck.randrange(30))
        for who in luck.sample(list(PEOPLE), luck.randint(1, 2)):
            for door, machine in (("front", "p1"), ("yard", "p2")):
                steps.append(_step(at, tap={"reader": f"{door}-in", "uid": PEOPLE[who]}))
                at += timedelta(seconds=luck.randrange(1, 90))
                steps.append(_step(at, tap={"reader": machine, "uid": PEOPLE[who]}))
                if luck.random() < 0.8:  # else it runs over night, or into the next week
                    at += timedelta(minutes=luck.randrange(1, 40), seconds=luck.randrange(60))
                    steps.append(_step(at, tap={"reader": machine, "uid": PEOPLE[who]}))
                at += timedelta(seconds=luck.randrange(6, 300))
        steps.append(_step(at, expect={"quota_left": asked}))
    at += timedelta(hours=luck.randrange(1, 9))
    for name in luck.sample(cut, len(cut)):
        steps.append(_step(at, link={"edge": name, "up": True}))
        steps.append(_step(at, expect={"quota_left": asked, "running": {"p1": None, "p2": None}}))
        at += timedelta(minutes=luck.randrange(1, 30))
    for who, uid in PEOPLE.items():  # what the machines themselves go by then
        for machine in ("p1", "p2"):
            at += timedelta(seconds=30)
            steps.append(_step(at, tap={"reader": machine, "uid": uid}))
            steps.append(_step(at, expect={"quota_left": {f"{who}:printer": 0}}))
    head = {"format": "loquet.scenario/1", "title": f"Week {seed}", "start": START.isoformat(), "edges": EDGES}
    return {**head, "bundle": _bundle(luck), "steps": steps}


def _bundle(luck: random.Random) -> Thing:
    doors = [{"id": door, "readers": {"in": f"{door}-in", "out": f"{door}-out"}} for door in ("front", "yard")]
    machines = [{"id": one, "kind": "printer", "reader": one} for one in ("p1", "p2")]
    quota = {"kind": "printer", "minutes": luck.choice([20, 60, 180]), "period": luck.choice(["week", "month"])}
    return {
        "format": "loquet.bundle/1",
        "site": {"id": "casaco", "name": "Casaco", "timezone": "Europe/Paris", "holidays": "FR"},
        "access_points": doors,
        "tiers": [{"id": "resident", "grounds": ["always"]}],
        "members": [{"id": who, "name": who, "tier": "resident"} for who in PEOPLE],
        "credentials": [{"uid": uid, "member": who} for who, uid in PEOPLE.items()],
        "machines": machines,
        "certifications": [{"member": who, "kind": "printer"} for who in PEOPLE],
        "quotas": [quota],
    }


def _step(at: datetime, **what: Thing) -> Thing:
    return {"at": at.isoformat(), **what}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def test_after_an_offline_week_each_quota_is_as_the_rules_say(desk: Desk) -> None:
    assert [found for seed in range(STORIES) for found in differences(desk, seed, week)] == []


def test_the_stories_use_quotas_up() -> None:
    """Else they show little."""
    left = [
        seconds
        for seed in range(STORIES)
        for answer in read(week(seed))
        for seconds in answer.get("quota_left", {}).values()
    ]
    assert min(left) == 0
    assert len(set(left)) > 20
