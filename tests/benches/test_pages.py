"""The bench of the pages at a small site: every page answers, and is measured again right after a change."""

from pathlib import Path

from benches.pages import PAGES, measured


def test_every_page_is_measured_beside_its_floor(tmp_path: Path) -> None:
    found = dict(measured(tmp_path, members=40, passages=300, rounds=4, days=7))
    assert set(found) == {f"page_{name}" for name in PAGES} | {f"page_{name}_first" for name in PAGES}
    assert all(one.value > 0 < one.floor for one in found.values())
