"""The demo's copies are those of a real site, so that its *Santé* is that of a healthy one."""

from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from server.health import copies_of
from simulator.demo import copies
from simulator.demo.folder import Folder
from simulator.demo.mailbox import Letters, Mailbox
from simulator.demo.site import server_config
from tests.support_server import site_database

pytestmark = pytest.mark.sqlite
NOW = datetime(2026, 11, 24, 7, 55, tzinfo=UTC)


def test_a_copy_is_made_each_hour_of_the_demos_time_and_one_that_fails_ends_no_demo(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = site_database(tmp_path)
    (mailbox := Mailbox(Letters(lambda: 0))).start()
    with closing(Folder(tmp_path / "demo", reset=False, today=date(2026, 11, 26))) as folder, ExitStack() as ends:
        ends.callback(mailbox.stop)
        config = replace(server_config(folder, 1883, 8000, mailbox), database=str(database.url))
        assert config.backup is not None
        for minutes in (0, 1, 59, 60, 119, 121):
            copies.make_due(config, folder.keys, lambda at=NOW + timedelta(minutes=minutes): at)  # type: ignore[misc]
        names = sorted(file.name for file in config.backup.folder.glob("*.age"))
        assert names == ["loquet-20261124T075500Z.age", "loquet-20261124T085500Z.age", "loquet-20261124T095600Z.age"]
        assert [one.late for one in copies_of(config.backup, NOW + timedelta(minutes=121))] == [False]
        database.close()
        (tmp_path / "loquet.db").unlink()
        copies.make_due(config, folder.keys, lambda: NOW + timedelta(days=1))
        assert "no copy of the database" in caplog.text
        assert [one.late for one in copies_of(config.backup, NOW + timedelta(days=1))] == [True]
