"""Do the people's expectations, told from their stories, agree with the rules? Day after day, without any edge."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays
from msgspec.structs import replace

from policy.case import Tap
from policy.compile import EdgeKey, compile_rules
from policy.door import decide
from policy.facts import Moved, Paid, apply
from policy.parse import parse
from policy.state import SiteState
from policy.terms import DAY
from simulator.demo import casaco
from simulator.demo.people import Intent, day
from tests.support_world import BUNDLE, NIGHT, TUESDAY

DAYS = 120
RULES = compile_rules(
    replace(BUNDLE, site=replace(BUNDLE.site, offline_days=DAYS)),
    zone=ZoneInfo("Europe/Paris"),
    holidays=lambda year: country_holidays("FR", years=year),
    pseudonym=bytes.hex,
    edges={"front": EdgeKey("00" * 32, ("front",))},
    at=NIGHT,
)


def decided(state: SiteState, intent: Intent) -> str | None:
    """The reason that the rules give, None for what no door decides; whoever passes has moved."""
    if intent.reader is None or len(intent.uids) != 1:
        return None
    state.not_after = intent.at + DAY
    decision = decide(RULES, state, Tap(intent.reader, intent.uids[0].hex()), intent.at)
    if decision.granted and decision.member is not None and intent.pushes:
        apply(state, Moved(decision.member, intent.at, intent.inward))
        if decision.pays is not None:
            apply(state, Paid(decision.member, decision.pays))
    return str(decision.reason)


def test_the_site_is_a_bundle_that_can_be_decided() -> None:
    bundle = parse(casaco.bundle_json(TUESDAY), "casaco.json", ZoneInfo)
    assert bundle == BUNDLE


@pytest.mark.parametrize("seed", [1, casaco.SEED])
def test_everybody_gets_the_answer_that_they_expect(seed: int) -> None:
    state = SiteState()
    for offset in range(DAYS):
        for intent in day(BUNDLE, seed, TUESDAY + timedelta(days=offset)):
            assert decided(state, intent) == intent.expect, (offset, intent)
