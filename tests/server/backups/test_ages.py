"""Which copies stay? Weeks of them are followed; none outlives what was promised."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from server.backups.ages import copies, expired, made_of, name_of

NOW = datetime(2026, 11, 24, 9, 2, tzinfo=UTC)


def test_a_name_says_when_and_nothing_else_is_a_copy() -> None:
    assert name_of(NOW) == "loquet-20261124T090200Z.age"
    assert made_of(name_of(NOW)) == NOW
    others = (
        "state.json",
        "loquet-2026-11-24.db.gz",
        ".loquet-20261124T090200Z.age.new",
        "loquet-20269924T090200Z.age",
    )
    assert [made_of(name) for name in others] == [None] * 4
    assert copies([*others, name_of(NOW)]) == [(NOW, name_of(NOW))]


def test_the_last_hour_whole_then_one_for_each_hour_day_and_week() -> None:
    """As a schedule of twenty minutes makes them, and removes after each."""
    kept: list[str] = []
    for minutes in range(0, 36 * 24 * 60, 20):
        now = NOW + timedelta(minutes=minutes)
        kept.append(name_of(now))
        gone = set(expired(kept, now, 30))
        kept = [name for name in kept if name not in gone]
    ages = [now - made for made, _ in copies(kept)]
    assert len([age for age in ages if age <= timedelta(hours=1)]) == 4
    assert 46 <= len([age for age in ages if timedelta(hours=1) < age <= timedelta(days=2)]) <= 48
    assert 11 <= len([age for age in ages if timedelta(days=2) < age <= timedelta(days=14)]) <= 13
    assert 2 <= len([age for age in ages if timedelta(days=14) < age]) <= 4
    assert max(ages) <= timedelta(days=30)
    gaps = [older - newer for older, newer in pairwise(ages)]
    assert max(gap for gap, age in zip(gaps, ages, strict=False) if age <= timedelta(days=2)) <= timedelta(hours=2)
    assert max(gap for gap, age in zip(gaps, ages, strict=False) if age <= timedelta(days=14)) <= timedelta(days=2)
    assert max(gaps) <= timedelta(days=9)


def test_one_of_a_clock_that_was_wrong_goes_when_its_time_has_come() -> None:
    ahead = name_of(NOW + timedelta(days=400))
    assert expired([ahead, name_of(NOW)], NOW, 30) == []
    assert expired([ahead], NOW + timedelta(days=431), 30) == [ahead]
