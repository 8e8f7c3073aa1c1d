"""What holds for each play: a run that was cut short is made good by the next, and no run shows a key."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.test import core, files
from jinja2 import Environment

ANSIBLE = Path(__file__).parents[2] / "ansible"
SECRET = ("loquet_keys", "loquet_certificate_key")
"""In the source of a file that nobody may read."""
CUT_SHORT = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Something is changed
      ansible.builtin.assert: {that: "true"}
      changed_when: true
      notify: Restart
    - name: And then something fails
      ansible.builtin.assert: {that: "false"}
  handlers:
    - name: Restart
      ansible.builtin.debug: {msg: it is restarted}
"""


def test_what_was_changed_before_a_play_failed_is_restarted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(CUT_SHORT, "utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml"]
    surroundings = os.environ | {"ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
    run = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stdout + run.stderr
    assert "it is restarted" in run.stdout, "the next run would find nothing changed"


def test_whether_a_session_runs_is_asked_before_keys_are_made() -> None:
    """A refusal afterwards would leave an edge with keys that broker and server know no more."""
    plays = yaml.safe_load((ANSIBLE / "rotate-keys.yml").read_text("utf-8"))
    said = [yaml.dump(play) for play in plays]
    asks = [number for number, play in enumerate(said) if "tasks_from: idle" in play]
    makes = [number for number, play in enumerate(said) if "rotate" in play]
    assert asks == [0]
    assert makes == [1]
    assert plays[0]["any_errors_fatal"] is True, "one that runs keeps all of them from being changed"


def task(file: str, name: str) -> dict[str, Any]:
    """One of a role's tasks, also of those in its blocks."""
    there = yaml.safe_load((ANSIBLE / "roles" / file).read_text("utf-8"))
    (found,) = (one for each in there for one in (each, *each.get("block", [])) if one["name"] == name)
    return dict(found)


def holds(said: str, **known: Any) -> bool:
    """By Ansible's reading."""
    reading = Environment(autoescape=False)  # noqa: S701  no page: conditions of a play
    reading.tests |= core.TestModule().tests() | files.TestModule().tests()
    return bool(reading.compile_expression(said)(**known))


@pytest.mark.parametrize(("epoch", "is_set"), [(0, True), (1_795_000_000, False), (1_795_000_000 + 200_000, True)])
def test_a_pi_that_begins_in_1970_is_told_the_time_before_anything_is_fetched(epoch: int, is_set: bool) -> None:
    """Else no certificate would count yet. By the time of the administrator's computer."""
    clock = task("base/tasks/main.yml", "Set a clock that is a day off, or more, since certificates would not count")
    facts = {"date_time": {"epoch": str(epoch)}}
    assert holds(clock["when"], ansible_facts=facts, lookup=lambda *_: "1795000100") is is_set
    names = [one["name"] for one in yaml.safe_load((ANSIBLE / "roles/base/tasks/main.yml").read_text("utf-8"))]
    assert names.index(clock["name"]) < names.index("Debian's packages")


@pytest.mark.parametrize(("free", "goes_on"), [(4e6, False), (499e6, False), (2e9, True)])
def test_nothing_is_built_on_a_card_that_is_full(free: float, goes_on: bool) -> None:
    asked = task("program/tasks/build.yml", "Room for it")["ansible.builtin.assert"]
    facts = {"mounts": [{"mount": "/boot", "size_available": 1}, {"mount": "/", "size_available": free}]}
    assert holds(asked["that"], ansible_facts=facts) is goes_on
    assert "make room" in asked["fail_msg"]


@pytest.mark.parametrize(
    ("by", "there", "goes_on"),
    [("acme", (), True), ("internal", (), True), ("files", ("crt", "key"), True), ("files", ("crt",), False),
     ("files", (), False), ("none", ("crt", "key"), False)],
)  # fmt: skip
def test_no_proxy_is_made_without_a_certificate(tmp_path: Path, by: str, there: tuple[str, ...], goes_on: bool) -> None:
    """It is said before anything is done anywhere."""
    for name in there:
        (tmp_path / name).write_text("")
    asked = task("check/tasks/main.yml", "The pages have a certificate")["ansible.builtin.assert"]
    known = {"loquet_certificate": str(tmp_path / "crt"), "loquet_certificate_key": str(tmp_path / "key")}
    assert holds(asked["that"], loquet_certificate_by=by, **known) is goes_on
    plays = yaml.safe_load((ANSIBLE / "site.yml").read_text("utf-8"))
    assert "check" in plays[0]["roles"]


def test_a_site_that_is_not_described_yet_is_asked_for_in_the_browser(tmp_path: Path) -> None:
    """A file that was meant and is not there is said before anything is done anywhere."""
    (tmp_path / "site.json").write_text("{}")
    stored = task("server/tasks/main.yml", "What the site is at first")["when"]
    asked = task("check/tasks/main.yml", "What the site is at first is there")["ansible.builtin.assert"]
    for bundle, goes_on, is_stored in (("site.json", True, True), ("gone.json", False, True), ("", True, False)):
        path = str(tmp_path / bundle) if bundle else ""
        assert holds(asked["that"], loquet_bundle=path) is goes_on
        assert holds(stored, loquet_bundle=path, server_site={"stat": {"exists": False}}) is is_stored
        assert not holds(stored, loquet_bundle=path, server_site={"stat": {"exists": True}})
    defaults = yaml.safe_load((ANSIBLE / "roles/loquet/defaults/main.yml").read_text("utf-8"))
    assert defaults["loquet_bundle"] == ""


def test_no_run_shows_a_key() -> None:
    """`--diff` shows what is copied, but where a task forbids it."""
    copied = [
        task
        for file in sorted(ANSIBLE.glob("roles/*/tasks/*.yml"))
        for task in yaml.safe_load(file.read_text("utf-8"))
        if "ansible.builtin.copy" in task and any(secret in yaml.dump(task) for secret in SECRET)
    ]
    assert len(copied) >= len(SECRET)
    assert [task["name"] for task in copied if task.get("diff") is not False] == []


@pytest.mark.parametrize(
    ("read_only", "mounted", "goes_on"),
    [(True, ["/"], False), (True, ["/", "/var/lib/loquet"], True), (False, ["/"], True)],
)
def test_no_journal_is_put_where_a_power_cut_takes_it_away(read_only: bool, mounted: list[str], goes_on: bool) -> None:
    """It is refused before the Pi is told that its disk is only read."""
    first, *_ = yaml.safe_load((ANSIBLE / "roles/edge/tasks/firmware.yml").read_text("utf-8"))
    known = {"loquet_wiring": {"read_only": read_only}, "ansible_facts": {"mounts": [{"mount": m} for m in mounted]}}
    reading = Environment(autoescape=False)  # noqa: S701  no page: conditions of a play
    asked, there = (
        reading.compile_expression(said)(**known) for said in (first["when"], first["ansible.builtin.assert"]["that"])
    )
    assert (not asked or there) is goes_on


def test_a_running_session_is_asked_about_before_its_edge_would_be_restarted_and_only_then() -> None:
    """In each file what would change is looked at first, then sessions, and only then anything is changed."""
    for file, changes in (("main.yml", "ansible.builtin.copy"), ("firmware.yml", "ansible.builtin.blockinfile")):
        tasks = yaml.safe_load((ANSIBLE / "roles/edge/tasks" / file).read_text("utf-8"))
        asks = [at for at, task in enumerate(tasks) if task.get("ansible.builtin.include_tasks") == "idle.yml"]
        looks = [at for at, task in enumerate(tasks) if task.get("check_mode") is True]
        writes = [
            at
            for at, task in enumerate(tasks)
            if changes in task and at not in looks and (file == "firmware.yml" or "notify" in task)
        ]
        assert len(asks) == 1
        assert len(looks) == 2
        assert max(looks) < asks[0] < min(writes)
        for at in looks:
            assert tasks[at]["register"] in str(tasks[asks[0]]["when"]), "it is asked where something would change"


def test_an_upgrade_is_left_to_the_machine_itself() -> None:
    """One way from one version to another, whoever asks for it."""
    tasks = yaml.safe_load((ANSIBLE / "roles/program/tasks/upgrade.yml").read_text("utf-8"))
    said = yaml.dump(tasks)
    assert "- update" in said
    assert said.index("tasks_from: idle") < said.index("- update")
