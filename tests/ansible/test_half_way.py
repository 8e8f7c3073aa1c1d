"""A machine that is lost in the middle of a run is named, and the next run makes it good."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ANSIBLE = Path(__file__).parents[2] / "ansible"
SSH = """#!/bin/sh
# Reaches this computer in place of a machine, until that is gone.
[ ! -e gone ] || { echo no route >&2; exit 255; }
for last; do :; done
exec sh -c "$last"
"""
Step = dict[str, Any]


def steps(role: str, part: str = "tasks") -> list[Step]:
    return list(yaml.safe_load((ANSIBLE / f"roles/{role}/{part}/main.yml").read_text("utf-8")))


def restart(task: Step) -> str | None:
    """Which part of what keeps a restart from being lost."""
    included = task.get("ansible.builtin.include_role", {})
    return str(included["tasks_from"]) if included.get("name") == "restart" else None


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("base", "nftables"),
        ("broker", "mosquitto"),
        ("server", "loquet-server"),
        ("proxy", "caddy"),
        ("edge", "loquet-edge"),
    ],
)
def test_a_restart_is_owed_before_a_service_is_told_anything_and_until_it_is_restarted(role: str, service: str) -> None:
    tasks = steps(role)
    tells = [at for at, task in enumerate(tasks) if task.get("notify") == f"Restart {service}"]
    parts = {restart(task): at for at, task in enumerate(tasks) if restart(task)}
    assert tells[0] > parts["owes"]
    assert parts["paid"] == len(tasks) - 1 > tells[-1]
    assert {task["vars"]["restart_of"] for task in tasks if restart(task)} == {service}
    assert f"Restart {service}" in {handler["name"] for handler in steps(role, "handlers")}
    # Of an edge, whose restart cuts the power of machines, only where it will be told something.
    looks = [task["register"] for task in tasks if task.get("check_mode") is True]
    assert tasks[parts["owes"]].get("when", "") == " or ".join(f"{each} is changed" for each in looks)


def test_the_roles_are_those_whose_services_are_told_something() -> None:
    """A role more wants its line above."""
    notify = [file.parts[-3] for file in ANSIBLE.glob("roles/*/tasks/*.yml") if "notify: Restart " in file.read_text()]
    assert sorted({*notify} - {"restart"}) == ["base", "broker", "edge", "proxy", "server"]


def there(name: str, path: str, **more: Any) -> Step:
    """Of a folder in place of a file: whether it is new is told alike, and sooner."""
    return {"name": name, "ansible.builtin.file": {"path": path, "state": "directory", "mode": "0755"}, **more}


def told() -> Iterator[Step]:
    """The server's own steps from there to its restart; after the first thing that it is told the machine is lost."""
    lost = {"path": "{{ playbook_dir }}/gone", "state": "touch", "mode": "0644"}
    for task in steps("server"):
        if restart(task):
            yield task
        if task["name"] == "Its keys":
            yield there("Its keys", "/run/told", notify=task["notify"])
            yield {"name": "Lost", "ansible.builtin.file": lost, "when": "lose is defined"}


def here(said: Any) -> str:
    """In place of a machine's own folder of what is gone with its power."""
    return json.dumps(said).replace("/run/", "{{ place }}/")


def run(folder: Path, *words: str) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", "play.json", *words]
    surroundings = os.environ | {"ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
    ended = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_it_is_named_and_the_next_run_restarts_its_service(tmp_path: Path) -> None:
    """What that was told lies there already, so the next run finds nothing changed."""
    play = {"hosts": "server", "gather_facts": False, "tasks": [*told()]}
    play["handlers"] = [there("Restart loquet-server", "/run/restarted")]
    (tmp_path / "play.json").write_text(here([play]))
    (tmp_path / "roles/restart/tasks").mkdir(parents=True)
    for file in (ANSIBLE / "roles/restart/tasks").iterdir():
        (tmp_path / "roles/restart/tasks" / file.name).write_text(here(yaml.safe_load(file.read_text("utf-8"))))
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    python = f"ansible_python_interpreter={sys.executable}"
    reached = f"ansible_ssh_executable={tmp_path}/ssh ansible_ssh_transfer_method=piped {python}"
    (tmp_path / "hub").mkdir()
    (tmp_path / "hosts").write_text(f"[server]\nhub place={tmp_path}/hub {reached}\n")
    status, said = run(tmp_path, "--extra-vars", "lose=1")
    assert status == 4, said
    assert "UNREACHABLE" in said
    assert {file.name for file in (tmp_path / "hub").iterdir()} == {"told", "loquet-server.told"}
    (tmp_path / "gone").unlink()
    status, said = run(tmp_path)
    assert status == 0, said
    assert {file.name for file in (tmp_path / "hub").iterdir()} == {"told", "restarted"}
