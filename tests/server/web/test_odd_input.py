"""What nobody means to send, but somebody will: each page answers it in words, and none is broken by it afterwards."""

import re

import pytest

from server.changes.carnets import pay
from server.changes.outcomes import Wrong
from server.models import PaidUnit
from server.web.access import TABLE
from server.web.row_numbers import LAST_ROW
from tests.server.queries.test_carnets import AM, zoe_pays
from tests.support_pages import Place
from tests.support_server import DECIDED
from tests.support_site import at

pytestmark = pytest.mark.sqlite

NUMBERED = [(method, address) for method, address in TABLE if "<int:" in address]


@pytest.mark.parametrize("number", ["0", str(LAST_ROW), str(LAST_ROW + 1), str(2**63), "9" * 5000])
def test_a_number_that_no_row_has_is_answered(place: Place, number: str) -> None:
    staff = place.staff()
    token = place.form_token(staff, "/account")
    form = {"csrf_token": token, "status": "lost", "seen": "active"}
    for method, address in NUMBERED:
        named = re.sub(r"<path:\w+>", "zoe", re.sub(r"<int:\w+>", number, address))
        assert staff.open(named, method=method, data=form).status_code < 500, (method, address)


@pytest.mark.parametrize(("first", "last"), [("0001-01-01", "9999-12-31"), ("0001-01-01", "0001-01-02")])
def test_the_accounts_of_all_time_add_up(place: Place, first: str, last: str) -> None:
    zoe_pays(place, at(9), AM)
    answer = place.staff().get("/carnets", query_string={"from": first, "to": last})
    assert answer.status_code == 200


@pytest.mark.parametrize("unit", ["0001-01-01am", "1999-12-31pm", "9999-12-31pm", "2026-11-26am", "2026-11-24"])
def test_a_half_day_that_is_none_is_not_paid(place: Place, unit: str) -> None:
    """Too long ago, to come, or a whole day of somebody whose carnet has half-days."""
    with place.database.transaction() as session:
        assert pay(session, DECIDED, "zoe", unit) == Wrong(("unit",))
        assert session.get(PaidUnit, ("zoe", unit)) is None
