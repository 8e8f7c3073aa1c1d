"""Every minute of the bank is on one account: of the place, the member, the units, those used and those expired."""

from datetime import date
from typing import Any

import pytest

from policy.bank import Bank
from policy.bank_accounts import Account, balances, left, spent, transfers
from policy.recount import recount
from tests.policy.test_bank import HELD, MONDAY, carnet, then
from tests.support_policy import at

TERMS = {"unit_minutes": 60, "valid_months": 1}


def bank(**changes: Any) -> Bank:
    """Four half-days from Wednesday 25 November to the end of December."""
    first = then(MONDAY, tier="carnet", **{"site_time_bank": TERMS, **changes})
    return recount([first], HELD, at("2026-11-27T04:00"))


@pytest.mark.parametrize(
    ("paid", "today", "accounts"),
    [
        ([], "2026-11-27", {"place": -240, "minted": 240}),
        (["2026-11-26am"], "2026-11-27", {"place": -240, "minted": 180, "used": 60}),
        (["2026-11-24pm"], "2026-11-27", {"place": -240, "minted": 240}),
        (["2026-11-26am", "2026-11-26pm"], "2027-01-01", {"place": -240, "used": 120, "expired": 120}),
        (["2026-11-26am", "2026-11-26pm"], "2026-12-31", {"place": -240, "minted": 120, "used": 120}),
    ],
)
def test_minutes_move_and_none_is_lost(paid: list[str], today: str, accounts: dict[str, int]) -> None:
    found = balances(bank(), "gregoire", paid, date.fromisoformat(today))
    assert found == dict.fromkeys(Account, 0) | {Account(name): minutes for name, minutes in accounts.items()}
    assert sum(found.values()) == 0
    assert all(moved.minutes >= 0 for moved in transfers(bank(), "gregoire", paid, date.fromisoformat(today)))


def test_the_member_s_own_account_is_what_is_not_minted() -> None:
    kept = bank(site_time_bank={"unit_minutes": 100})
    assert balances(kept, "gregoire", [], date(2026, 11, 27))[Account.MEMBER] == kept.minutes["gregoire"] == 40


def test_a_half_day_is_spent_in_the_order_of_the_carnets() -> None:
    paid = ["2026-11-26am", "2026-11-26pm", "2026-11-27am"]
    before = bank(passes=[carnet("b", "2026-11-30") | {"total": 2}])
    assert spent(before, "gregoire", paid) == {"garde/gregoire/1": "2026-11-27am"}
    assert [unit.id[-1] for unit in left(before, "gregoire", paid, date(2026, 11, 27))] == ["2", "3", "4"]
    after = bank(passes=[carnet("b")])
    assert spent(after, "gregoire", paid)["garde/gregoire/3"] == "2026-11-27am"
    assert left(after, "gregoire", paid, date(2027, 1, 1)) == []
