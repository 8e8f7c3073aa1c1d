"""What is wrong with an inventory, before anything is done by it; and what an edge is asked by it."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NO_EDGES = ("server", "broker", "authority", "credential")
"""Names that `loquet keys` gives to something else."""
SETTINGS = {"database", "socket", "retention_days"}
TABLES = {"smtp", "ntfy", "matrix", "webhook", "oidc", "staff", "api"}
"""Of server.toml: what loquet_settings may say. The rest follows from the inventory."""


def faults(
    groups: Mapping[str, list[str]], hosts: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Any], revoked: list[str]
) -> list[str]:
    """Every fault in words, with its remedy. hosts: the variables of each machine. keys: the site.json of the key
    folder, empty for one that is to be made. revoked: edges that were shut out."""
    return [*_machines(groups, hosts), *_keys(groups, hosts, keys, revoked), *_settings(groups, hosts)]


def _machines(groups: Mapping[str, list[str]], hosts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    servers, edges = list(groups.get("server", [])), list(groups.get("edges", []))
    if len(servers) != 1:
        yield f"group 'server' holds {', '.join(servers) or 'nothing'}: put one machine there"
    for name in sorted({*servers} & {*edges}):
        yield f"{name} is in both groups, 'server' and 'edges': a server and an edge are two machines"
    at, serves = defaultdict(list), defaultdict(list)
    for name in dict.fromkeys((*servers, *edges)):
        at[hosts[name].get("ansible_host", name)].append(name)
    for address, names in at.items():
        if len(names) > 1:
            yield f"{' and '.join(names)} are one machine, {address}: give each its own ansible_host"
    for name in edges:
        if not ID.fullmatch(name) or name in NO_EDGES:
            yield f"edge {name!r}: use 1 to 64 letters, digits, - or _, and none of {', '.join(NO_EDGES)}"
        wiring = hosts[name].get("loquet_wiring")
        if not isinstance(wiring, Mapping) or not places(wiring):
            yield f"edge {name!r} has no door and no machine: say what hangs there in its loquet_wiring"
            continue
        for place in places(wiring):
            serves[place].append(name)
    for place, names in serves.items():
        if len(names) > 1:
            yield f"{place!r} hangs on {' and '.join(names)}: it belongs to one edge"


def _keys(
    groups: Mapping[str, list[str]], hosts: Mapping[str, Mapping[str, Any]], keys: Mapping[str, Any], revoked: list[str]
) -> Iterator[str]:
    for name in groups.get("edges", []):
        if name in revoked or name in keys.get("revoked", []):
            yield f"edge {name!r} was revoked: take it out of the inventory, and give what takes its place another name"
    if not keys or not groups.get("server"):
        return
    wanted = hosts[groups["server"][0]]
    folder, site, broker = (wanted.get(name) for name in ("loquet_keys", "loquet_site", "loquet_broker"))
    if keys["site"] != site:
        yield f"{folder} holds the keys of site {keys['site']!r}, and loquet_site is {site!r}: give that site's own"
    elif keys["broker"] != broker:
        yield (
            f"loquet_broker is {broker!r}, and the broker's certificate is for {keys['broker']!r}: "
            f"loquet keys rotate {folder} broker --broker {broker}"
        )


def _settings(groups: Mapping[str, list[str]], hosts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for server in groups.get("server", []):
        said = hosts[server].get("loquet_settings", {})
        if not isinstance(said, Mapping):
            yield f"loquet_settings is {said!r}: write names and values below it, as server/sample.toml has them"
            continue
        for name, value in said.items():
            if name not in SETTINGS | TABLES:
                can = ", ".join(sorted(SETTINGS | TABLES))
                yield f"loquet_settings says {name!r}: it may say {can}; the rest follows from the inventory"
            elif isinstance(value, Mapping) is not (name in TABLES):
                kind = "names and values below it" if name in TABLES else "one value"
                yield f"{name} of loquet_settings is {value!r}: give it {kind}, as server/sample.toml does"


def settings(said: Mapping[str, Any]) -> str:
    """The lines of server.toml that say so: values first, tables last."""
    tables = {name: value for name, value in said.items() if isinstance(value, Mapping)}
    lines = [_line(name, value) for name, value in said.items() if name not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in table.items())]
    return "\n".join(lines)


def _line(name: str, value: object) -> str:
    """A text, a number, yes or no, a list of these: TOML writes them as JSON does."""
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def places(wiring: Mapping[str, Any]) -> list[str]:
    """The doors and machines that hang on an edge."""
    return [name for kind in ("door", "machine") for name in wiring.get(kind) or {}]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Any]:
        return {"inventory_faults": faults, "places": places, "settings": settings}
