"""What is kept of people is told to them, with the live settings."""

from dataclasses import replace

import pytest

from server.app import create_app
from tests.support_pages import Place, plain

pytestmark = pytest.mark.sqlite


def test_the_page_says_the_setting_of_this_server(place: Place) -> None:
    assert "90 jours, puis effacés" in place.page("/kept")
    shorter = create_app(replace(place.context(), retention_days=30)).test_client()
    said = plain(shorter.get("/kept").text)
    assert "30 jours, puis effacés" in said
    assert "90" not in said
    assert "sauf quand il y en a moins de 3" in said


def test_each_page_leads_there_and_a_member_to_what_is_kept_of_them(place: Place) -> None:
    assert 'href="/kept"' in place.client.get("/").text
    assert 'href="/me/data"' not in place.client.get("/kept").text
    assert 'href="/me/data"' in place.member("remy").get("/kept").text
