"""Which rules does this edge go by? Signed ones, newer than those it holds, whole, and made for its own readers."""

from collections.abc import Iterable, Iterator, Mapping

from edge.config import Config
from edge.held import HeldRules
from edge.machine import MachineSetup
from policy.instants import instant
from policy.ruleset import RuleSet
from policy.terms import Direction, Instant
from wire import ruleset
from wire.errors import WireError
from wire.messages import Fresh, Rules


class RefusedError(WireError):
    """Genuine, but not for this edge now. kind: one word for each case, for the log."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def opened(message: Rules, config: Config) -> HeldRules:
    """The rules of a message, fit for this edge. Raises WireError, and RefusedError when they are not for it."""
    rules = ruleset.unpack(message.body)
    flaw = next(_flaws(rules, config), None)
    if flaw is not None:
        raise RefusedError("unfit", f"rules {message.version}: {flaw}")
    return HeldRules(message.version, message.hash, _instant(message.not_after, "rules"), rules)


def check_newer(message: Rules, held: HeldRules | None, trusted_now: Instant | None) -> None:
    """Raises RefusedError for rules that may not replace those held. trusted_now: None while the clock is in doubt."""
    if held is not None and message.version <= held.version:
        raise RefusedError(
            "older",
            f"rules {message.version}: this edge holds {held.version}; when the server's data were restored from a"
            " backup, let it publish a higher version",
        )
    if trusted_now is not None and _instant(message.not_after, "rules") <= trusted_now:
        raise RefusedError("expired", f"rules {message.version}: expired {message.not_after}; see the server's clock")


def confirmation(message: Rules | Fresh, held: HeldRules | None) -> Instant | None:
    """Until when a message confirms the rules held; None when it does not, or not for longer than is known."""
    if held is None or message.version != held.version:
        return None
    if message.hash != held.hash:
        raise RefusedError("twin", f"rules {message.version}: two sets under one version; publish a higher version")
    not_after = _instant(message.not_after, "rules")
    return not_after if not_after > held.not_after else None


def _instant(written: str, where: str) -> Instant:
    try:
        return instant(written)
    except (ValueError, OverflowError) as error:
        raise WireError(f"{where}: not_after {written!r} is no instant ({error})") from None


def _flaws(rules: RuleSet, config: Config) -> Iterator[str]:
    """What would make a decision fail at this door, in words."""
    if rules.site != config.site:
        yield f"made for site {rules.site!r}, this edge is of {config.site!r}: see edge.toml"
    if not _has_site_days(rules):
        yield "no site days in them: compile them again"
    yield from _foreign_readers(rules, config)
    for kind, names, known in (
        ("member", (credential.member for credential in rules.credentials.values()), rules.members),
        ("member", rules.shifts, rules.members),
        ("tier", (member.tier for member in rules.members.values()), rules.tiers),
    ):
        yield from _unknown(kind, names, known)


def _has_site_days(rules: RuleSet) -> bool:
    told = {len(rules.days), len(rules.splits), len(rules.dates or rules.days)}
    try:
        return len(told) == 1 and rules.site_days.at(rules.days[0]).date is not None
    except (ValueError, IndexError, OverflowError):
        return False


def _unknown(kind: str, names: Iterable[str], known: Mapping[str, object]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{kind} {name!r} is named but not described: compile them again"


def _foreign_readers(rules: RuleSet, config: Config) -> Iterator[str]:
    for name, place, direction in _places(config):
        reader = rules.readers.get(name)
        if reader is None:
            yield f"reader {name!r} of edge.toml is not in them: name it on the server, or mend edge.toml"
        elif (reader.access_point, reader.direction, reader.edge) != (place, direction, config.edge):
            yield (
                f"reader {name!r} is {reader.direction} at {reader.access_point!r} of edge {reader.edge!r} there, but"
                f" {direction} at {place!r} of edge {config.edge!r} in edge.toml: make the two agree"
            )


def _places(config: Config) -> Iterator[tuple[str, str, Direction | None]]:
    """Each reader with its place and the way that it leads; a machine's leads nowhere."""
    for place in config.places:
        if isinstance(place, MachineSetup):
            yield place.reader, place.machine, None
            continue
        yield place.reader_in, place.access_point, Direction.IN
        if place.reader_out is not None:
            yield place.reader_out, place.access_point, Direction.OUT
