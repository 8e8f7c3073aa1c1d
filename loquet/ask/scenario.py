"""What is in a scenario file? `loquet.scenario/1`: a bundle and timed steps with what they must lead to.

Everything is checked before anything is played: times, references, and that each change leaves a bundle that holds
together.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct, UnsetType

from policy import uids
from policy.bundle import Bundle
from policy.check import KEYS
from policy.decode import decode
from policy.errors import BundleError
from policy.instants import meant
from policy.parse import parse
from policy.terms import SECOND, Instant
from server import files

FORMAT = "loquet.scenario/1"
ACTIONS = ("tap", "change", "remove", "lockdown", "link", "power", "estop", "extend", "correct")
KEY_FIELDS = {
    "credentials": ("uid",),
    "quotas": ("kind",),
    "certifications": ("member", "kind"),
    "rota_changes": ("rota", "date"),
}
"""What an object is known by where that is not its id, as policy/check.py has it."""


class ScenarioError(ValueError):
    """The file is not valid. The message names file, key and value, and why."""


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """What all parts share."""


class TapStep(Part, frozen=True):
    reader: str
    uid: str


class LinkStep(Part, frozen=True):
    edge: str
    up: bool


class PowerStep(Part, frozen=True):
    edge: str
    up: bool
    clock: Literal["trusted", "lost"] = "trusted"


class MachineStep(Part, frozen=True):
    machine: str


class CorrectStep(Part, frozen=True):
    """at: left out for now."""

    member: str
    inside: bool
    by: str = "desk"
    at: str | UnsetType = UNSET


class History(Part, frozen=True):
    taps: int | UnsetType = UNSET
    granted: int | UnsetType = UNSET


class Expect(Part, frozen=True):
    """Of a tap: granted, reason, until; of an order extend: until. Of the server: the rest."""

    granted: bool | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    until: str | UnsetType | None = UNSET
    inside: tuple[str, ...] | UnsetType = UNSET
    held: bool | UnsetType = UNSET
    staffed: bool | UnsetType = UNSET
    pass_left: dict[str, int] | UnsetType = UNSET
    running: dict[str, str | None] | UnsetType = UNSET
    quota_left: dict[str, int] | UnsetType = UNSET
    history: History | UnsetType = UNSET
    bank: dict[str, int] | UnsetType = UNSET
    minted: dict[str, int] | UnsetType = UNSET
    slots: dict[str, str | None] | UnsetType = UNSET


class Step(Part, frozen=True):
    """at: ISO instant with offset. One action, or expectations alone."""

    at: str
    tap: TapStep | UnsetType = UNSET
    taps: int = 1
    change: dict[str, Any] | UnsetType = UNSET
    remove: dict[str, tuple[Any, ...]] | UnsetType = UNSET
    lockdown: bool | UnsetType = UNSET
    link: LinkStep | UnsetType = UNSET
    power: PowerStep | UnsetType = UNSET
    estop: MachineStep | UnsetType = UNSET
    extend: MachineStep | UnsetType = UNSET
    correct: CorrectStep | UnsetType = UNSET
    expect: Expect | UnsetType = UNSET


class Scenario(Part, frozen=True):
    format: Literal["loquet.scenario/1"]
    title: str
    bundle: msgspec.Raw
    start: str
    steps: tuple[Step, ...]
    edges: dict[str, tuple[str, ...]] | UnsetType = UNSET


class Moment(Struct, frozen=True):
    """A step with its instants, and the bundle and the edges that there are after it.

    corrected: when a move was. stored: the credits that the step stores.
    """

    step: Step
    at: Instant
    until: Instant | UnsetType | None
    bundle: Bundle
    edges: dict[str, tuple[str, ...]]
    corrected: Instant = 0
    stored: frozenset[str] = frozenset()


class Story(Struct, frozen=True):
    """A scenario that has been checked whole."""

    file: str
    title: str
    bundle: Bundle
    start: Instant
    edges: dict[str, tuple[str, ...]]
    moments: tuple[Moment, ...]


def load(path: Path) -> Story:
    """Read a scenario. Raises ScenarioError."""
    try:
        text = files.read(path, "a scenario")
    except BundleError as error:
        raise ScenarioError(str(error)) from None
    return read(text, str(path), path.parent)


def read(text: bytes, file: str, folder: Path) -> Story:
    """A scenario from its text. folder: where a bundle named by its path is looked for. Raises ScenarioError."""
    try:
        scenario = decode(Scenario, text, file)
        bundle = parse(_bundle_text(scenario, file, folder), f"{file}: bundle", ZoneInfo)
    except BundleError as error:
        raise ScenarioError(str(error)) from None
    faults = _Faults()
    edges, start = _with_own({}, bundle, file), 0
    with faults:
        edges = _edges(scenario, bundle, file)
    with faults:
        start = _instant(scenario.start, file, "start")
    moments = tuple(_moments(scenario, bundle, edges, start, file, faults))
    if faults.told:
        raise ScenarioError("\n".join(faults.told))
    return Story(file, scenario.title, bundle, start, edges, moments)


class _Faults:
    """What is wrong in each of several places: told all at once."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __enter__(self) -> None:
        """A place in which something may be wrong."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, ScenarioError):
            return False
        self.told.append(str(error))
        return True


def _bundle_text(scenario: Scenario, file: str, folder: Path) -> bytes:
    raw = bytes(scenario.bundle)
    if not raw.lstrip().startswith(b'"'):
        return raw
    try:
        return files.read(folder / msgspec.json.decode(raw, type=str), "a bundle")
    except BundleError as error:
        raise BundleError(f"{file}: bundle {error}") from None


def _edges(scenario: Scenario, bundle: Bundle, file: str) -> dict[str, tuple[str, ...]]:
    places = _places(bundle)
    named: dict[str, tuple[str, ...]] = {} if scenario.edges is UNSET else scenario.edges
    owners: dict[str, str] = {}
    for edge, owned in named.items():
        for place in owned:
            if place not in places:
                raise ScenarioError(f"{file}: edges.{edge}: {place!r} is no access point or machine of the bundle")
            if owners.setdefault(place, edge) != edge or owned.count(place) > 1:
                raise ScenarioError(f"{file}: edges.{edge}: {place!r} belongs to an edge already: name it once")
    return _with_own(named, bundle, file)


def _places(bundle: Bundle) -> list[str]:
    return [point.id for point in bundle.access_points] + [machine.id for machine in bundle.machines]


def _with_own(edges: dict[str, tuple[str, ...]], bundle: Bundle, where: str) -> dict[str, tuple[str, ...]]:
    """A place that no edge has gets one of its own, named after it; a change may bring such places."""
    owned = {place for places in edges.values() for place in places}
    left = [place for place in _places(bundle) if place not in owned]
    for place in left:
        if place in edges:
            raise ScenarioError(f"{where}: edges.{place}: the edge of this name lacks {place!r}: say whose it is")
    return edges | {place: (place,) for place in left}


def _instant(written: str, file: str, key: str) -> Instant:
    try:
        return meant(written)
    except ValueError as error:
        raise ScenarioError(f"{file}: {key} {written!r}: {error}") from None


def _moments(
    scenario: Scenario, bundle: Bundle, edges: dict[str, tuple[str, ...]], start: Instant, file: str, faults: _Faults
) -> Iterator[Moment]:
    last = start
    for number, step in enumerate(scenario.steps):
        with faults:
            moment = _moment(step, bundle, edges, last, f"{file}: steps[{number}]")
            bundle, edges, last = moment.bundle, moment.edges, moment.at + (step.taps - 1) * SECOND
            yield moment


def _moment(step: Step, bundle: Bundle, edges: dict[str, tuple[str, ...]], last: Instant, where: str) -> Moment:
    """The step after what was before it. last: the instant of the last tap or step."""
    at = _instant(step.at, where, "at")
    if at < last:
        raise ScenarioError(f"{where}: at {step.at!r} is before the last tap or step: put the steps in order")
    _check_action(step, bundle, edges, where)
    bundle = _after(step, bundle, where)
    edges = _with_own(edges, bundle, where)
    until: Instant | UnsetType | None = UNSET
    if step.expect is not UNSET and step.expect.until is not UNSET:
        until = None if step.expect.until is None else _instant(step.expect.until, where, "expect.until")
    stored = frozenset(part["id"] for part in step.change.get("credits", ())) if step.change else frozenset()
    return Moment(step, at, until, bundle, edges, _corrected(step, at, bundle, where), stored)


def credits_of(bundle: Bundle) -> frozenset[str]:
    """The ids of all credits of a bundle: with the first one all of them are stored."""
    return frozenset(credit.id for credit in bundle.credits)


def _corrected(step: Step, at: Instant, bundle: Bundle, where: str) -> Instant:
    """When the move was that a step writes down; the step's instant of others."""
    if step.correct is UNSET:
        return at
    wanted = step.correct
    if wanted.member not in {member.id for member in bundle.members}:
        raise ScenarioError(f"{where}: correct.member {wanted.member!r}: no such member in the bundle")
    if wanted.member == wanted.by:
        raise ScenarioError(f"{where}: correct.by {wanted.by!r}: nobody corrects themselves")
    moved = at if wanted.at is UNSET else _instant(wanted.at, where, "correct.at")
    if moved > at:
        raise ScenarioError(f"{where}: correct.at {wanted.at!r} is later than the step: nobody knows it yet")
    return moved


def _check_action(step: Step, bundle: Bundle, edges: dict[str, tuple[str, ...]], where: str) -> None:
    given = [name for name in ACTIONS if getattr(step, name) is not UNSET]
    if len(given) > 1:
        raise ScenarioError(f"{where}: {' and '.join(given)}: a step does one thing, make it two")
    if not given and step.expect is UNSET:
        raise ScenarioError(f"{where}: nothing happens: give one of {', '.join(ACTIONS)} or expect")
    if step.taps != 1 and (step.tap is UNSET or step.taps < 1):
        raise ScenarioError(f"{where}: taps {step.taps}: a number from 1 on, beside tap")
    if step.tap is not UNSET:
        _check_tap(step.tap, bundle, where)
    for name, edge in ((name, getattr(step, name)) for name in ("link", "power")):
        if edge is not UNSET and edge.edge not in edges:
            raise ScenarioError(f"{where}: {name}.edge {edge.edge!r}: use one of {', '.join(edges)}")
    for name, machine in ((name, getattr(step, name)) for name in ("estop", "extend")):
        if machine is not UNSET and machine.machine not in {known.id for known in bundle.machines}:
            raise ScenarioError(f"{where}: {name}.machine {machine.machine!r}: no such machine in the bundle")


def _check_tap(tap: TapStep, bundle: Bundle, where: str) -> None:
    readers = {machine.reader for machine in bundle.machines}
    readers |= {reader for point in bundle.access_points for reader in (point.readers.in_, point.readers.out) if reader}
    if tap.reader not in readers:
        raise ScenarioError(f"{where}: tap.reader {tap.reader!r}: no such reader in the bundle")
    try:
        uids.digits(tap.uid)
    except ValueError as error:
        raise ScenarioError(f"{where}: tap.uid {tap.uid!r}: {error}") from None


def _after(step: Step, bundle: Bundle, where: str) -> Bundle:
    """The bundle once the server has stored what the step says."""
    if step.change is UNSET and step.remove is UNSET:
        return bundle
    whole: dict[str, Any] = json.loads(msgspec.json.encode(bundle))
    if step.change is not UNSET:
        for name, parts in step.change.items():
            _put(whole, name, parts, where)
    if step.remove is not UNSET:
        for name, keys in step.remove.items():
            _drop(whole, name, keys, where)
    try:
        return parse(json.dumps(whole).encode(), where, ZoneInfo)
    except BundleError as error:
        raise ScenarioError(str(error)) from None


def _put(whole: dict[str, Any], name: str, parts: Any, where: str) -> None:
    if name == "site":
        if not isinstance(parts, dict):
            raise ScenarioError(f"{where}: change.site {parts!r}: one object, it is merged into the site")
        whole["site"] |= parts
        return
    if name not in KEYS or not isinstance(parts, list):
        raise ScenarioError(f"{where}: change.{name}: use site, or a list for one of {', '.join(KEYS)}")
    kept = whole.setdefault(name, [])
    for part in parts:
        key = _key_of(name, part, where)
        position = next((n for n, known in enumerate(kept) if _key_of(name, known, where) == key), None)
        if position is None:
            kept.append(part)
        else:
            kept[position] = part


def _drop(whole: dict[str, Any], name: str, keys: tuple[Any, ...], where: str) -> None:
    if name not in KEYS:
        raise ScenarioError(f"{where}: remove.{name}: use one of {', '.join(KEYS)}")
    kept = whole.setdefault(name, [])
    for key in keys:
        wanted = tuple(key) if isinstance(key, list) else _uid(key) if name == "credentials" else key
        position = next((n for n, known in enumerate(kept) if _key_of(name, known, where) == wanted), None)
        if position is None:
            raise ScenarioError(f"{where}: remove.{name} {key!r}: nothing has this key")
        del kept[position]


def _key_of(name: str, part: Any, where: str) -> Any:
    """What an object is known by: one value, or several in a tuple."""
    try:
        key = tuple(part[field] for field in KEY_FIELDS.get(name, ("id",)))
    except (KeyError, TypeError):
        raise ScenarioError(f"{where}: change.{name}: {part!r} lacks its key") from None
    if len(key) > 1:
        return key
    return _uid(key[0]) if name == "credentials" else key[0]


def _uid(written: Any) -> Any:
    """The same for every way of writing a UID; what is none is refused later."""
    try:
        return uids.digits(written).lower()
    except (ValueError, TypeError):
        return written
