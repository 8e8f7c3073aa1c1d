"""Who can log in at the demo: one person for each thing that an account can be."""

from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path

from sqlmodel import select

from policy.bundle import Role as SiteRole
from server.audit import verify
from server.changes.messages import Channel
from server.changes.notices import reached
from server.models import Account, AccountLink, AccountSession
from server.queries.accounts import roles_of
from server.roles import Role
from simulator.demo.casaco import bundle
from simulator.demo.logins import by_mail, choose_channels, logins, make
from tests.support_pages import CHEAP_HASH
from tests.support_server import site_database

TUESDAY = date(2026, 11, 24)
SITE = bundle(TUESDAY)


def test_each_account_has_its_persons_roles_and_nobody_is_logged_in(tmp_path: Path) -> None:
    wanted, now = logins(SITE, TUESDAY), 1_795_500_000_000
    with closing(site_database(tmp_path, SITE)) as database, database.transaction() as session:
        for _ in range(2):
            make(session, wanted, CHEAP_HASH)
        accounts = {one.login: one for one in session.exec(select(Account))}
        assert {login: roles_of(session, one) - {Role.MEMBER} for login, one in accounts.items()} == {
            "accueil": {Role.STAFF},
            "gardien": {Role.GARDIEN},
            "fablab": {Role.FAB_MANAGER},
            "fabriqueur": set(),
            "carnet": set(),
        }
        told = by_mail(SITE, wanted)
        assert len(told) == 7 + 4
        make(session, told, CHEAP_HASH)
        choose_channels(session, wanted, now)
        everybody = {m.id for m in SITE.members if {SiteRole.GARDIEN, SiteRole.STAFF} & set(m.roles)}
        channels = {who: reached(session, who, frozenset(Channel)) for who in everybody}
        assert Counter(found.channel for found in channels.values() if found) == {"mail": 11, "ntfy": 1, "webhook": 1}
        assert {one.password_hash for one in accounts.values()} == {CHEAP_HASH}
        assert session.exec(select(AccountSession)).all() == []
        assert all(link.used for link in session.exec(select(AccountLink)))
        assert verify(session).broken is None


def test_the_carnet_is_one_and_the_gardien_holds_the_first_evening() -> None:
    by_login = {one.login: one for one in logins(SITE, TUESDAY)}
    assert by_login["carnet"].member in {one.member for one in SITE.passes}
    assert "on 2026-11-24 from" in by_login["gardien"].what
