"""An inventory that cannot be is refused in words, before anything is done; the example is taken."""

import io
import os
import runpy
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ANSIBLE = Path(__file__).parents[2] / "ansible"
EXAMPLE = ANSIBLE / "inventory.example.yml"
plugin = runpy.run_path(str(ANSIBLE / "filter_plugins" / "inventory.py"))
pack = runpy.run_path(str(ANSIBLE / "pack"))
faults: Callable[..., list[str]] = plugin["faults"]
KEYS = {"site": "casaco", "broker": "hub.lan", "edges": ["front"], "revoked": []}
SITE = {"loquet_site": "casaco", "loquet_broker": "hub.lan", "loquet_keys": "keys"}
DOOR = {"door": {"front": {"readers": 2}}}


def told(hosts: dict[str, dict[str, Any]], keys: dict[str, Any] | None = None, revoked: tuple[str, ...] = ()) -> str:
    """Every fault of a site: `hub` is its server, all others are edges."""
    groups = {"server": [name for name in hosts if name == "hub"], "edges": [name for name in hosts if name != "hub"]}
    return "\n".join(faults(groups, hosts, keys or {}, list(revoked)))


def site(**edges: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"hub": {"ansible_host": "192.0.2.1", **SITE}, **edges}


def test_a_site_that_can_be_has_no_fault() -> None:
    hosts = site(
        front={"ansible_host": "192.0.2.2", "loquet_wiring": DOOR}, cnc={"loquet_wiring": {"machine": {"cnc": {}}}}
    )
    assert told(hosts) == told(hosts, KEYS) == ""


@pytest.mark.parametrize(
    ("hosts", "keys", "said"),
    [
        ({"front": {"loquet_wiring": DOOR}}, {}, "group 'server' holds nothing: put one machine there"),
        (
            site(front={"ansible_host": "192.0.2.1", "loquet_wiring": DOOR}),
            {},
            "hub and front are one machine, 192.0.2.1",
        ),
        (site(front={}), {}, "edge 'front' has no door and no machine"),
        (site(front={"loquet_wiring": DOOR}, side={"loquet_wiring": DOOR}), {}, "'front' hangs on front and side"),
        (site(server={"loquet_wiring": DOOR}), {}, "edge 'server': use 1 to 64 letters"),
        (site(**{"front.lan": {"loquet_wiring": DOOR}}), {}, "edge 'front.lan': use 1 to 64 letters"),
        (site(), {**KEYS, "site": "other"}, "keys holds the keys of site 'other', and loquet_site is 'casaco'"),
        (site(), {**KEYS, "broker": "old.lan"}, "loquet keys rotate keys broker --broker hub.lan"),
        (site(front={"loquet_wiring": DOOR}), {**KEYS, "revoked": ["front"]}, "edge 'front' was revoked: take it out"),
    ],
)
def test_a_site_that_cannot_be_is_told(hosts: dict[str, Any], keys: dict[str, Any], said: str) -> None:
    assert said in told(hosts, keys)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"smtp": {"host": "mail.example.org", "sender": "l@example.org"}, "retention_days": 30}, ""),
        ("mail", "loquet_settings is 'mail': write names and values below it"),
        ({"backup": {"minutes": 5}}, "loquet_settings says 'backup': it may say api, database"),
        ({"smtp": "mail.example.org"}, "smtp of loquet_settings is 'mail.example.org': give it names and values"),
        ({"database": {"url": "x"}}, "database of loquet_settings is {'url': 'x'}: give it one value"),
    ],
)
def test_what_else_the_server_is_told_is_looked_at_first(settings: object, said: str) -> None:
    hosts = site(front={"loquet_wiring": DOOR})
    hosts["hub"]["loquet_settings"] = settings
    assert told(hosts).startswith(said)
    assert bool(told(hosts)) is bool(said)


def test_an_edge_that_is_revoked_while_the_inventory_has_it_is_told() -> None:
    assert "edge 'front' was revoked" in told(site(front={"loquet_wiring": DOOR}), KEYS, ("front",))


def test_the_example_is_taken_and_a_second_machine_of_one_name_is_not(tmp_path: Path) -> None:
    found = yaml.safe_load(EXAMPLE.read_text("utf-8"))["all"]["children"]
    hosts = {**found["server"]["hosts"], **found["edges"]["hosts"]}
    assert told(hosts) == ""
    twice = tmp_path / "twice.yml"
    twice.write_text(EXAMPLE.read_text("utf-8") + "        front:\n          ansible_host: 192.168.1.12\n", "utf-8")
    command = [Path(sys.executable).parent / "ansible-inventory", "--inventory", twice, "--list"]
    surroundings = {**os.environ, "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg")}
    ended = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert "duplicate" in ended.stderr.lower()
    assert "192.168.1.12" not in ended.stdout


def test_the_same_copy_is_packed_alike_and_whole() -> None:
    archive: bytes = pack["archive"]()
    assert archive == pack["archive"]()
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        members = {member.name: member.mode for member in packed}
    assert members["firmware_config/install"] & 0o100
    assert {"requirements/edge.txt", "requirements/server.txt", "loquet/main.py", "pyproject.toml"} <= set(members)
    assert not [name for name in members if "__pycache__" in name or name.startswith(("tests", ".venv"))]
