"""What the roles write from an inventory is what the server and its proxy read. With Ansible's own filters."""

import runpy
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from ansible.plugins.test import core
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from keys.keyring import Keyring, Site
from loquet.main import main
from policy.instants import instant
from server.config import EdgeConfig, RevokedEdge
from server.config_file import load

ROLES = Path(__file__).parents[2] / "ansible" / "roles"
OWN = runpy.run_path(str(ROLES.parent / "filter_plugins" / "inventory.py"))
WIRING = {"front": {"door": {"front": {"readers": 2}}}, "fab": {"machine": {"cnc": {}, "laser": {}}}}


def rendered(role: str, name: str, variables: Mapping[str, Any]) -> str:
    """As ansible.builtin.template makes it: blocks leave no line behind."""
    made = Environment(
        loader=FileSystemLoader(ROLES / role / "templates"),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  no page: files of a server
    )
    made.filters |= FilterModule().filters() | {name: OWN[name] for name in ("places", "settings")}
    return made.get_template(name).render(variables)


def test_the_server_is_told_of_every_edge_and_of_those_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = Keyring.create(tmp_path / "ring", Site("casaco", "hub.lan", tuple(WIRING)))
    assert main(["keys", "list", str(tmp_path / "ring")]) == 0
    variables = {
        "loquet_address": "loquet.example.org",
        "loquet_edges": list(WIRING),
        "loquet_revoked": {"garage": "2026-11-24T17:00:00.000Z"},
        "hostvars": {edge: {"loquet_wiring": wiring} for edge, wiring in WIRING.items()},
        "server_keys": capsys.readouterr().out,
        "loquet_backup": True,
        "loquet_backup_minutes": "10",
        "loquet_backup_days": 20,
        "loquet_backup_copies": ["/media/loquet", "sftp://loquet@nas.lan/copies"],
        "loquet_backup_ssh_key": "keys/nas",
        "loquet_settings": {},
    }
    shutil.copytree(ring.server, tmp_path / "keys")
    (tmp_path / "server.toml").write_text(rendered("server", "server.toml", variables), "utf-8")
    config = load(tmp_path / "server.toml")
    assert config.edges == (
        EdgeConfig("front", ring.public_hex("front"), ("front",)),
        EdgeConfig("fab", ring.public_hex("fab"), ("cnc", "laser")),
    )
    assert config.revoked == (RevokedEdge("garage", instant("2026-11-24T17:00:00.000Z")),)
    copies = config.backup
    assert copies is not None
    assert (copies.recipient, copies.minutes, copies.days) == (ring.recipient, 10, 20)
    assert copies.copies == ("/media/loquet", "sftp://loquet@nas.lan/copies")
    assert (copies.ssh_key, copies.known_hosts) == (tmp_path / "backup_ssh", tmp_path / "known_hosts")
    (tmp_path / "server.toml").write_text(rendered("server", "server.toml", variables | {"loquet_backup": False}))
    assert load(tmp_path / "server.toml").backup is None
    mail = {
        "host": "mail.example.org",
        "sender": "l@example.org",
        "username": "l",
        "password_file": "keys/mail",
        "port": 465,
        "security": "tls",
    }
    (tmp_path / "keys" / "mail").write_text("secret\n")
    (tmp_path / "keys" / "mail").chmod(0o600)
    more = {
        "smtp": mail,
        "retention_days": 60,
        "database": "postgresql://loquet@/loquet",
        "socket": str(tmp_path / "control"),
    }
    (tmp_path / "server.toml").write_text(
        rendered("server", "server.toml", variables | {"loquet_settings": more}), "utf-8"
    )
    told = load(tmp_path / "server.toml")
    assert told.smtp is not None
    assert (told.smtp.host, told.smtp.port, told.smtp.password) == ("mail.example.org", 465, "secret")
    assert told.database.startswith("postgresql")
    assert (told.retention_days, told.socket, told.edges) == (60, tmp_path / "control", config.edges)
    alone = rendered("server", "server.toml", variables | {"loquet_edges": [], "loquet_settings": more})
    (tmp_path / "server.toml").write_text(alone, "utf-8")  # its only edge was stolen
    assert load(tmp_path / "server.toml").edges == ()
    assert (config.address, config.trusted_proxy) == ("https://loquet.example.org", "127.0.0.1")


@pytest.mark.parametrize(
    ("by", "said"), [("acme", 0), ("internal", "tls internal"), ("files", "tls /etc/caddy/loquet.crt")]
)
def test_the_proxy_has_the_certificate_that_was_asked_for(by: str, said: str | int) -> None:
    text = rendered("proxy", "Caddyfile", {"loquet_address": "loquet.example.org", "loquet_certificate_by": by})
    assert "loquet.example.org {\n" in text
    assert "reverse_proxy 127.0.0.1:8000" in text
    assert text.count("tls ") == (1 if said else 0)
    assert not said or str(said) in text


@pytest.mark.parametrize("host", ["hub", "front"])
def test_the_firewall_lets_in_what_each_machine_serves(host: str) -> None:
    variables = {"inventory_hostname": host, "loquet_hub": "hub", "loquet_ssh_from": ["192.168.1.0/24", "fd00::/8"]}
    text = rendered("base", "nftables.conf", variables)
    assert "policy drop" in text
    assert ("8883" in text) == (host == "hub")
    assert "ip saddr 192.168.1.0/24 tcp dport 22 accept" in text
    assert "ip6 saddr fd00::/8 tcp dport 22 accept" in text
    assert "\n        tcp dport 22 accept" not in text
    everybody = rendered("base", "nftables.conf", variables | {"loquet_ssh_from": []})
    assert "\n        tcp dport 22 accept" in everybody


@pytest.mark.parametrize("networks", [[], ["192.168.1.0/24"]])
def test_the_firewall_does_not_shut_out_whoever_comes_by_another_port(networks: list[str]) -> None:
    """This very playbook, then; where a router leads it on, the machine's own is 22."""
    variables = {"inventory_hostname": "front", "loquet_hub": "hub", "loquet_ssh_from": networks, "ansible_port": 2222}
    text = rendered("base", "nftables.conf", variables)
    assert "tcp dport { 22, 2222 } accept" in text
    usual = rendered("base", "nftables.conf", variables | {"ansible_port": "22"})
    assert "tcp dport 22 accept" in usual


@pytest.mark.parametrize(
    ("copies", "may_write"),
    [([], ["/var/backups/loquet"]),
     (["/media/loquet", "sftp://a@nas.lan/b", "/srv/b"], ["/var/backups/loquet", "-/media/loquet", "-/srv/b"])],
)  # fmt: skip
def test_the_copies_of_the_database_may_be_written_wherever_they_go(copies: list[str], may_write: list[str]) -> None:
    """To systemd a line without a word would take back what the unit itself lets them write to."""
    tasks = yaml.safe_load((ROLES / "backup/tasks/main.yml").read_text("utf-8"))
    (added,) = (task["ansible.builtin.copy"] for task in tasks if task["name"] == "Where it may write")
    reading = Environment(autoescape=False)  # noqa: S701  no page: a file of a server
    reading.filters |= FilterModule().filters()
    reading.tests |= core.TestModule().tests()
    *_, line = reading.from_string(added["content"]).render(loquet_backup_copies=copies).splitlines()
    assert line.removeprefix("ReadWritePaths=").split() == may_write
