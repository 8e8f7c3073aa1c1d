"""What makes a new card come up with its name, a login by key, and ssh? Two ways, by the Debian of Raspberry Pi OS.

Of Debian 13 cloud-init reads user-data and meta-data on the boot partition (cloudinit.readthedocs.io, NoCloud); of
Debian 12 its own first start reads custom.toml (raspberrypi-sys-mods, init_config). cloud-init sets the host's name
again at every boot, so it is set there and nowhere else.
"""

import json

from edge.setup.answers import Admin, Answers

GROUPS = "users, adm, sudo, netdev, gpio, spi, i2c"


def seeds(answers: Answers) -> dict[str, str]:
    """The text of each file by its name; none without a login."""
    if answers.admin is None:
        return {}
    return {
        "user-data": _user_data(host_name(answers.edge), answers.admin),
        "meta-data": f"instance-id: loquet-{host_name(answers.edge)}\n",
        "custom.toml": _custom(host_name(answers.edge), answers.admin),
    }


def host_name(edge: str) -> str:
    """An edge's id as a host may be called (RFC 1123)."""
    return edge.lower().replace("_", "-").strip("-") or "edge"


def _user_data(host: str, admin: Admin) -> str:
    """JSON strings are YAML's as well. sudo asks for no password, since there is none: the key is what one has."""
    return f"""\
#cloud-config
hostname: {json.dumps(host)}
manage_etc_hosts: true
timezone: {json.dumps(admin.zone)}
users:
  - name: {json.dumps(admin.login)}
    groups: {json.dumps(GROUPS)}
    shell: /bin/bash
    lock_passwd: true
    sudo: "ALL=(ALL) NOPASSWD:ALL"
    ssh_authorized_keys:
      - {json.dumps(admin.ssh_key)}
ssh_pwauth: false
runcmd:
  - [systemctl, enable, --now, ssh]
"""


def _custom(host: str, admin: Admin) -> str:
    return f"""\
config_version = 1

[system]
hostname = {json.dumps(host)}

[user]
name = {json.dumps(admin.login)}

[ssh]
enabled = true
password_authentication = false
authorized_keys = [{json.dumps(admin.ssh_key)}]

[locale]
timezone = {json.dumps(admin.zone)}
"""
