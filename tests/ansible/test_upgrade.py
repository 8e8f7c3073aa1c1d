"""An upgrade that goes back: what of the server's database comes back with it. By Ansible's own reading of the play."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.test import core
from jinja2 import Environment

TASKS = Path(__file__).parents[2] / "ansible" / "roles" / "program" / "tasks" / "upgrade.yml"
MADE = {"rc": 0, "failed": False, "changed": True}
FAILED = {"rc": 1, "failed": True, "changed": True}


def task(part: str, start: str) -> dict[str, Any]:
    """The task of the swap's block, or of its rescue, whose name starts so."""
    (swap,) = (one for one in yaml.safe_load(TASKS.read_text("utf-8")) if "block" in one)
    (found,) = (one for one in swap[part] if one["name"].startswith(start))
    return dict(found)


@pytest.mark.parametrize(
    ("service", "copy", "comes_back"),
    [
        ("loquet-server", MADE, True),
        ("loquet-server", FAILED, False),  # a full disk: what lies there is the copy of an older upgrade
        ("loquet-server", None, False),  # the server could not be stopped
        ("loquet-edge", None, False),
    ],
)
def test_only_the_copy_that_this_upgrade_made_comes_back(
    service: str, copy: dict[str, Any] | None, comes_back: bool
) -> None:
    known = {"program_service": service}
    copied = {} if copy is None else {task("block", "A copy of the database").get("register", "nothing"): copy}
    reading = Environment(autoescape=False)  # noqa: S701  no page: conditions of a play
    reading.tests |= core.TestModule().tests()
    asked = reading.compile_expression(task("rescue", "The database as it was")["when"], undefined_to_none=False)
    assert bool(asked(**known, **copied)) is comes_back
