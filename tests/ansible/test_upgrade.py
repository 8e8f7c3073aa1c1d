"""An upgrade that is cut off anywhere and given again, or goes back: by Ansible's reading, on a machine of words."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.test import core
from jinja2 import Template, Undefined
from jinja2.nativetypes import NativeEnvironment

TASKS = Path(__file__).parents[2] / "ansible" / "roles" / "program" / "tasks"
OLD, NEW, NEWER = "/opt/loquet-old", "/opt/loquet-new", "/opt/loquet-newer"
MADE = {"rc": 0, "failed": False, "changed": True}
FAILED = {"rc": 1, "failed": True, "changed": True}


READING = NativeEnvironment()
READING.tests |= core.TestModule().tests()
PARTS = {file.name: yaml.safe_load(file.read_text("utf-8")) for file in TASKS.glob("*.yml")}


@cache
def template(said: str) -> Template:
    return READING.from_string(said)


@cache
def condition(said: str) -> Callable[..., Any]:
    return READING.compile_expression(said, undefined_to_none=False)


class CutError(Exception):
    """The computer from which the play is given loses its power."""


class TaskError(Exception):
    """A task failed; its text is what the last one said."""


class Machine:
    """What a play can change of it. form: of the database, as the version that last opened it made it.

    broken: versions that never answer. left: changes until the play is cut off. fails: the copy always, a stop once.
    """

    def __init__(self, service: str, broken: tuple[str, ...] = ()) -> None:
        self.service, self.broken = service, broken
        self.links = {"/opt/loquet": OLD}
        self.runs: str | None = OLD
        self.form, self.copy = OLD, ""
        self.fails: list[str] = []
        self.left = 1000

    def play(self, version: str, cut_after: int = 1000) -> None:
        """upgrade.yml with a version that is built already. Raises CutError and TaskError."""
        self.left = cut_after
        known = {"program_folder": version, "program_service": self.service, "program_alive": ["alive"]}
        known |= {"program_asked_at": "hub", "inventory_hostname": "front", "loquet_answer_within": 120}
        self.part("upgrade.yml", known)

    def part(self, name: str, known: dict[str, Any]) -> None:
        if name != "build.yml":
            self.tasks(PARTS[name], known)

    def tasks(self, tasks: list[dict[str, Any]], known: dict[str, Any]) -> None:
        for task in tasks:
            own = _Within(known, task.get("vars", {}))
            if not own.holds(task.get("when", True)):
                continue
            if "block" in task:
                try:
                    self.tasks(task["block"], known)
                except TaskError:
                    self.tasks(task["rescue"], known)
                continue
            if file := task.get("ansible.builtin.include_tasks"):
                self.part(file, known | {name: own.value(said) for name, said in task.get("vars", {}).items()})
                continue
            result = self.task(task, own)
            if "register" in task:
                known[task["register"]] = result
            if result.get("failed"):
                raise TaskError(task["name"])

    def task(self, task: Mapping[str, Any], own: "_Within") -> dict[str, Any]:
        (module,) = (key for key in task if key.startswith("ansible.builtin."))
        act: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, module.removeprefix("ansible.builtin."))
        said = task[module]
        return act({name: own.value(one) for name, one in said.items()} if isinstance(said, dict) else {"cmd": said})

    def changes(self) -> None:
        if self.left == 0:
            raise CutError
        self.left -= 1

    # What the modules do

    def stat(self, of: dict[str, Any]) -> dict[str, Any]:
        target = self.links.get(of["path"])
        return {"stat": {"exists": target is not None} | ({"lnk_target": target} if target else {})}

    def include_role(self, of: dict[str, Any]) -> dict[str, Any]:
        assert of == {"name": "edge", "tasks_from": "idle"}
        return {}

    def systemd_service(self, of: dict[str, Any]) -> dict[str, Any]:
        assert of["name"] == self.service
        self.changes()
        if "stop" in self.fails:
            self.fails.remove("stop")
            return FAILED
        self.runs = None if of["state"] == "stopped" else self.links["/opt/loquet"]
        self.form = self.form if self.runs is None else self.runs
        return MADE

    def file(self, of: dict[str, Any]) -> dict[str, Any]:
        self.changes()
        if of["state"] == "link":
            self.links[of["dest"]] = of["src"]
        else:
            self.links.pop(of["path"], None)
        return MADE

    def command(self, of: dict[str, Any]) -> dict[str, Any]:
        if of["argv"] == ["alive"]:
            self.changes()
            return FAILED if self.runs in (None, *self.broken) else MADE
        assert "before-upgrade.db" in of["argv"][-1]
        assert self.runs is None, "the server still writes into it"
        self.changes()
        if "copy" in self.fails:
            return FAILED
        self.copy = self.form
        return MADE

    def shell(self, of: dict[str, Any]) -> dict[str, Any]:
        assert "install" in of["cmd"]
        assert "before-upgrade.db" in of["cmd"]
        self.changes()
        self.form = self.copy
        return MADE

    def fail(self, of: dict[str, Any]) -> dict[str, Any]:
        return FAILED | {"msg": of["msg"]}


class _Within:
    """What names mean in a task."""

    def __init__(self, known: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self._known = {**known, **own}
        self._known |= {name: self.value(said) for name, said in own.items()}

    def value(self, said: Any) -> Any:
        if isinstance(said, list):
            return [self.value(one) for one in said]
        return template(said).render(self._known) if isinstance(said, str) else said

    def holds(self, when: Any) -> bool:
        if isinstance(when, bool):
            return when
        found = condition(when)(**self._known)
        assert not isinstance(found, Undefined), f"nobody knows what this means: {when}"
        return bool(found)


def cut_anywhere(service: str, broken: tuple[str, ...] = ()) -> list[Machine]:
    """Machines on which an upgrade to NEW was cut off: before its first change, after it, and so on to its end."""
    found = []
    while True:
        machine = Machine(service, broken)
        try:
            machine.play(NEW, cut_after=len(found))
        except CutError:
            found.append(machine)
        except TaskError:
            return found
        else:
            return found


def is_on(machine: Machine, version: str) -> bool:
    """It runs this version, on a database of its form, and nothing is left to do."""
    form = version if machine.service == "loquet-server" else machine.form
    return (machine.links, machine.runs, machine.form) == ({"/opt/loquet": version}, version, form)


@pytest.mark.parametrize("service", ["loquet-server", "loquet-edge"])
def test_one_that_was_cut_off_anywhere_is_made_good_by_the_next_run(service: str) -> None:
    cut = cut_anywhere(service)
    assert len(cut) >= 5
    for machine in cut:
        machine.play(NEW)
        assert is_on(machine, NEW)


@pytest.mark.parametrize("service", ["loquet-server", "loquet-edge"])
def test_one_that_was_cut_off_goes_back_all_the_same(service: str) -> None:
    cut = cut_anywhere(service, broken=(NEW,))
    assert len(cut) >= 8
    for machine in cut:
        with pytest.raises(TaskError, match="Say so"):
            machine.play(NEW)
        assert is_on(machine, OLD)


@pytest.mark.parametrize("service", ["loquet-server", "loquet-edge"])
def test_after_one_that_was_cut_off_a_newer_one_can_be_given(service: str) -> None:
    """At the second try at the latest: the first says that the version that was cut off did not answer."""
    for machine in cut_anywhere(service, broken=(NEW,)):
        try:
            machine.play(NEWER)
        except TaskError:
            assert is_on(machine, OLD)
            machine.play(NEWER)
        assert is_on(machine, NEWER)


def test_what_the_server_stored_since_a_newer_version_answered_stays() -> None:
    """One that went well is not gone back behind, whatever becomes of the next."""
    machine = Machine("loquet-server", broken=(NEWER,))
    machine.play(NEW)
    with pytest.raises(TaskError, match="Say so"):
        machine.play(NEWER)
    assert is_on(machine, NEW)


@pytest.mark.parametrize("fails", [(), ("stop",), ("copy",)])
def test_only_the_copy_that_this_upgrade_made_comes_back(fails: tuple[str, ...]) -> None:
    """A full disk, or a server that cannot be stopped: what lies there is the copy of an older upgrade."""
    machine = Machine("loquet-server", broken=(NEWER,))
    machine.play(NEW)
    machine.fails, machine.copy = [*fails], "an older upgrade's"
    with pytest.raises(TaskError, match="Say so"):
        machine.play(NEWER)
    assert is_on(machine, NEW)
