"""Is what the documentation says there? Links, names of code, reasons, rows, topics, keys, commands, versions."""

import ast
import inspect
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from loquet.bench import PROMISED
from loquet.main import COMMANDS
from policy.reasons import Reason
from wire.row import Kind
from wire.topics import Topics

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "firmware_config").glob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
ROOMS = (
    "policy",
    "console",
    "wire",
    "keys",
    "edge",
    "server",
    "simulator",
    "proofs",
    "benches",
    "loquet",
    "tests",
    "firmware_config",
    "ansible",
    "docs",
    "tools",
)

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[\w./-]+?(?:\.\w+|/)?")
NAME = re.compile(r"([\w/]+\.py):([A-Za-z_][\w.]*)(?:\(\))?")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(*parts: str) -> str:
    return (ROOT / Path(*parts)).read_text("utf-8")


def spans_of_code(text: str) -> list[str]:
    """What stands between backticks, outside blocks of code."""
    return CODE.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown page makes of a file's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@cache
def defined(path: Path) -> frozenset[str]:
    """Every name that a Python file defines, members of classes as Class.member."""
    return frozenset(_names(ast.parse(path.read_text("utf-8")).body))


def _names(body: list[ast.stmt], inside: str = "") -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name):
                yield inside + name
                if name == "__init__":
                    yield from (inside + found for found in _own_attributes(statement))
            case ast.ClassDef(name=name, body=members):
                yield inside + name
                yield from _names(members, f"{inside}{name}.")
            case ast.Assign(targets=targets):
                yield from (inside + target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield inside + name


def _own_attributes(constructor: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(constructor):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr


def topics() -> dict[str, str]:
    """Every topic of wire/topics.py as the documents write it, by the name of its method."""
    site, found = Topics("SITE"), {}
    for name, member in vars(Topics).items():
        if isinstance(member, property):
            found[name] = str(getattr(site, name))
        elif inspect.isfunction(member) and list(inspect.signature(member).parameters) == ["self", "edge"]:
            found[name] = getattr(site, name)("ID")
    public = {name: topic for name, topic in found.items() if not name.startswith("_")}
    return {name: topic.replace("SITE", "<site>").replace("ID", "<id>") for name, topic in public.items()}


def keys(table: Mapping[str, Any], chosen: bool = False) -> Iterator[str]:
    """The keys of an edge.toml; not the names of readers, door and machines, which the installer chooses."""
    for key, value in table.items():
        if not chosen:
            yield key
        if isinstance(value, Mapping):
            yield from keys(value, chosen=key in ("readers", "door", "machine"))


def pinned(*names: str) -> dict[str, str]:
    """Version by package, as requirements/NAME.txt has it."""
    text = "\n".join(read("requirements", f"{name}.txt") for name in names)
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def chosen_packages() -> set[str]:
    """The packages that pyproject.toml names itself."""
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    return {re.split(r"[\[<>=~ ]", wanted)[0] for extra in extras.values() for wanted in extra} - {"loquet"}


def figures() -> Iterator[str]:
    """What the bench's files yield as names, as regular expressions: f"spi_{name}" is spi_ and a word."""
    for path in (ROOT / "benches").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Yield(value=ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Call()])):
                    yield name
                case ast.Yield(value=ast.Tuple(elts=[ast.JoinedStr(values=parts), ast.Call()])):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts)


def addresses() -> set[str]:
    """What the server's pages answer to."""
    found = set()
    for path in (ROOT / "server/pages").glob("*.py"):
        text = path.read_text("utf-8")
        prefix = re.search(r'url_prefix="([^"]+)"', text)
        found |= {f"{prefix[1] if prefix else ''}{route}" for route in re.findall(r'@page\.\w+\("([^"]+)"', text)}
    return found


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


def test_no_test_of_the_rules_is_kept_from_mutants_by_a_word_in_its_name() -> None:
    """As some were by "within", which was meant for tests of speed."""
    assert "-k" not in tomllib.loads(read("pyproject.toml"))["tool"]["mutmut"]["pytest_add_cli_args"]


def test_make_lets_python_keep_what_it_compiled() -> None:
    """Else each of hundreds of processes compiles every library anew: half of its start."""
    probe = ["make", "--silent", "--eval", "probe: ; @echo $${PYTHONDONTWRITEBYTECODE-kept}", "probe"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    assert subprocess.check_output(probe, cwd=ROOT, env=environment, text=True) == "kept\n"


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text("utf-8")):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{named(path)}: {link}"
        assert not anchor or anchor in anchors(target), f"{named(path)}: {link}"


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_path_and_name_of_code_exists(path: Path) -> None:
    for span in spans_of_code(path.read_text("utf-8")):
        if match := NAME.fullmatch(span):
            assert match[2] in defined(ROOT / match[1]), f"{named(path)}: {span}"
        elif PATH.fullmatch(span):
            assert (ROOT / span).exists(), f"{named(path)}: {span}"


def test_the_glossary_names_code() -> None:
    terms = re.findall(r"^- \*\*.+$", read("docs/glossary.md"), re.MULTILINE)
    with_code = [term for term in terms if any(NAME.fullmatch(span) for span in spans_of_code(term))]
    assert len(terms) > 60
    assert len(with_code) > 50


def test_a_name_that_is_gone_would_be_found() -> None:
    assert {"EdgeController.step", "EdgeController.core", "TO_CORE"} <= defined(ROOT / "edge/controller.py")
    names = defined(ROOT / "edge/door.py")
    assert "DoorSetup.strike_seconds" in names
    assert "DoorController.leap" not in names


def test_every_reason_is_explained() -> None:
    table = read("docs/rules.md")
    assert [reason for reason in Reason if f"`{reason}`" not in table] == []


def test_every_kind_of_row_is_explained() -> None:
    flow = read("docs/flow.md")
    assert [kind for kind in Kind if f"`{kind}`" not in flow] == []


def test_every_topic_is_explained() -> None:
    flow = read("docs/flow.md")
    assert len(topics()) >= 5
    assert {name: topic for name, topic in topics().items() if f"`{topic}`" not in flow} == {}


def test_every_address_of_the_server_is_explained() -> None:
    flow = read("docs/flow.md")
    assert {"/", "/api/v1/now"} <= addresses()
    assert {address for address in addresses() if f"`{address}`" not in flow} == set()


def test_every_key_of_edge_toml_is_explained() -> None:
    samples = [tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "firmware_config").glob("edge-*.toml")]
    wiring = set(spans_of_code(read("docs/wiring.md")))
    assert len(samples) > 3
    assert {key for sample in samples for key in keys(sample) if key not in wiring} == set()


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_make_target_exists(path: Path) -> None:
    called = set(re.findall(r"(?:^ *|`)make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE))
    assert called <= make_targets()


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_every_subcommand_exists(path: Path) -> None:
    called = set(re.findall(r"(?:^ *|`|bin/)loquet ([a-z]+)", path.read_text("utf-8"), re.MULTILINE))
    assert called <= set(COMMANDS)


def test_the_readme_names_the_commands_that_one_needs() -> None:
    readme = read("README.md")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_dependency_is_named_with_its_version() -> None:
    rows = dict(re.findall(r"^\| `([\w.-]+)` \| ([^|]+?) \|", read("docs/dependencies.md"), re.MULTILINE))
    versions = pinned("edge", "server", "dev", "ansible")
    assert rows == {name: versions[name] for name in chosen_packages()}


def test_what_the_bench_promises_is_said() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (.*) \|", read("docs/bench.md"), re.MULTILINE)
    limits = {name: limit for part in PROMISED.values() for name, limit in part.items()}
    told = {name: re.findall(r"promised: [^|;]*[^|;\s]", what) for name, unit, what in rows if "promised" in what}
    units = {name: unit for name, unit, _ in rows}
    assert told == {name: [limit.words(units[name])] for name, limit in limits.items()}


def test_every_figure_of_the_bench_is_explained() -> None:
    names = re.findall(r"^\| `(\w+)` \|", read("docs/bench.md"), re.MULTILINE)
    yielded = list(figures())
    assert len(yielded) > 5
    assert [name for name in names if not any(re.fullmatch(each, name) for each in yielded)] == []
    assert [each for each in yielded if not any(re.fullmatch(each, name) for name in names)] == []


@pytest.mark.parametrize("path", DECISIONS, ids=named)
def test_a_decision_is_short_and_in_order(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    number = DECISIONS.index(path) + 1
    assert path.name.startswith(f"{number:04}-")
    assert lines[0].startswith(f"# {number}. ")
    assert len(lines) <= 25


@pytest.mark.parametrize("path", DOCS, ids=named)
def test_no_path_of_somebodys_machine(path: Path) -> None:
    assert re.findall(r"/(?:home|root|work|tmp)/\S*", path.read_text("utf-8")) == []


def test_what_is_not_released_has_a_section() -> None:
    assert re.search(r"^## \[Unreleased\]$", read("CHANGELOG.md"), re.MULTILINE)
