"""A machine that is lost in the middle of a run is named, and the next run makes it good."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ANSIBLE = Path(__file__).parents[2] / "ansible"
SSH = """#!/bin/sh
# Reaches this computer in place of a machine, until that is gone.
[ ! -e gone ] || { echo no route >&2; exit 255; }
for last; do :; done
exec sh -c "$last"
"""


def there(name: str, path: str, **more: Any) -> dict[str, Any]:
    """Of a folder in place of a file: whether it is new is told alike, and sooner."""
    return {"name": name, "ansible.builtin.file": {"path": path, "state": "directory", "mode": "0755"}, **more}


def play() -> str:
    """An edge is told something, is lost in one of two runs, and restarted: with the role's own steps for that."""
    tasks, handlers = (
        yaml.safe_load((ANSIBLE / f"roles/edge/{part}/main.yml").read_text("utf-8")) for part in ("tasks", "handlers")
    )
    (asks,) = (one for one in tasks if one.get("register") == "edge_owed")
    (owes,) = (one for one in tasks if "touch" in str(one) and "loquet-edge.told" in str(one))
    (owed,) = (one for one in tasks if one.get("when") == "edge_owed.stat.exists")
    (paid,) = (one for one in handlers if one.get("listen") == "Restart the edge")
    lost = {"path": "{{ playbook_dir }}/gone", "state": "touch", "mode": "0644"}
    same = {"name": "Would its keys change?", "ansible.builtin.assert": {"that": True}, "register": "edge_keys_differ"}
    steps = [
        asks,
        same,
        there("Would its files?", "/run/told", check_mode=True, register="edge_files_differ"),
        owes,
        there("Its files", "/run/told", notify="Restart the edge"),
        {"name": "Lost", "ansible.builtin.file": lost, "when": "lose is defined"},
        owed,
    ]
    restarts = there("Restart the edge", "/run/restarted")
    whole = {"hosts": "edges", "gather_facts": False, "tasks": steps, "handlers": [restarts, paid]}
    return json.dumps([whole]).replace("/run/", "{{ place }}/")


def run(folder: Path, *words: str) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", "play.json", *words]
    surroundings = os.environ | {"ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
    ended = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_it_is_named_and_the_next_run_restarts_it(tmp_path: Path) -> None:
    """What it was told lies there already, so the next run finds nothing changed."""
    (tmp_path / "play.json").write_text(play())
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    python = f"ansible_python_interpreter={sys.executable}"
    reached = f"ansible_ssh_executable={tmp_path}/ssh ansible_ssh_transfer_method=piped {python}"
    (tmp_path / "front").mkdir()
    (tmp_path / "hosts").write_text(f"[edges]\nfront place={tmp_path}/front {reached}\n")
    status, said = run(tmp_path, "--extra-vars", "lose=1")
    assert status == 4, said
    assert "UNREACHABLE" in said
    assert {file.name for file in (tmp_path / "front").iterdir()} == {"told", "loquet-edge.told"}
    (tmp_path / "gone").unlink()
    status, said = run(tmp_path)
    assert status == 0, said
    assert {file.name for file in (tmp_path / "front").iterdir()} == {"told", "restarted"}
