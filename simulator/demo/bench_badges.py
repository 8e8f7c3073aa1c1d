"""Which badges lie ready on the bench? One for each thing that a door can say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy.bundle import Bundle, Member, Role, Shift
from simulator.demo.casaco import MILLS


@dataclass(frozen=True, slots=True)
class Badge:
    """uid: hex, lower case. member: its id, None for nobody's. what: in French and in English."""

    uid: str
    member: str | None
    what: tuple[str, str]

    @property
    def length(self) -> int:
        """Bytes of the UID."""
        return len(self.uid) // 2


STRANGER = "5a1eb00c"
"""A travel card: its UID is nobody's here."""


def badges(bundle: Bundle, today: str) -> Sequence[Badge]:
    """The bench's badges. today: the site's date, ISO; the gardien is the one whose shift is next from then on."""
    if STRANGER in {credential.uid.lower() for credential in bundle.credentials}:
        raise ValueError(f"badge {STRANGER} belongs to somebody: the bench needs an unknown one")
    return tuple(_badges(bundle, today))


def _badges(bundle: Bundle, today: str) -> Iterator[Badge]:
    by_id = {member.id: member for member in bundle.members}
    plain = [member for member in bundle.members if not member.roles and _in_good_standing(member, today)]
    yield _of(bundle, _with(bundle, plain, "nomade", 4), ("nomade, puce à 4 octets", "nomad, 4-byte chip"))
    yield _of(bundle, _with(bundle, plain, "nomade", 7), ("nomade, puce à 7 octets", "nomad, 7-byte chip"))
    yield _of(
        bundle, _with(bundle, plain, "resident", 7), ("résident, accès permanent", "resident, access at any time")
    )
    gardien = by_id[next_shift(bundle, today).gardien]
    yield _of(bundle, gardien, ("gardien de la prochaine garde", "gardien of the next shift"))
    staff = next(member for member in bundle.members if Role.STAFF in member.roles)
    yield _of(bundle, staff, ("équipe", "team"))
    fab = next(member for member in plain if member.tier == "fabriqueur")
    yield _of(bundle, fab, ("Fabriqueur, atelier seulement", "Fabriqueur, workshop only"))
    trained = by_id[fabricator(bundle, today)]
    yield _of(bundle, trained, ("a la formation, a réservé une machine", "trained, has booked a machine"))
    yield _of(bundle, carnet_holder(bundle), ("carnet de demi-journées", "carnet of half-days"))
    lost = next(credential for credential in bundle.credentials if credential.status == "lost")
    yield Badge(lost.uid.lower(), lost.member, ("badge déclaré perdu", "badge reported lost"))
    suspended = next(member for member in bundle.members if member.status == "suspended")
    yield _of(bundle, suspended, ("membre suspendu", "suspended member"))
    yield Badge(STRANGER, None, ("carte de transport, inconnue ici", "travel card, unknown here"))


def carnet_holder(bundle: Bundle) -> Member:
    """The last active one who pays by half-days."""
    return next(m for m in reversed(bundle.members) if m.tier == "carnet-demi" and m.status == "active")


def fabricator(bundle: Bundle, today: str) -> str:
    """Who has the next booking of the CNC's afternoon, by id; who had the last one once none is left."""
    afternoons = [one for one in bundle.bookings if one.start.endswith(MILLS)]
    return next((one.member for one in afternoons if one.start >= today), afternoons[-1].member)


def next_shift(bundle: Bundle, today: str) -> Shift:
    """The next one from that date on; the last one of all once none is left."""
    coming = [shift for shift in bundle.shifts if shift.start >= today]
    return min(coming, key=lambda shift: shift.start) if coming else max(bundle.shifts, key=lambda shift: shift.start)


def _in_good_standing(member: Member, today: str) -> bool:
    begun = member.valid_from is None or member.valid_from.isoformat() <= today
    return begun and member.valid_until is None and member.status == "active"


def _with(bundle: Bundle, members: Sequence[Member], tier: str, length: int) -> Member:
    """The last member of the tier whose badge has so many bytes: the demo's people draw from all of them."""
    return next(m for m in reversed(members) if m.tier == tier and len(_uid(bundle, m)) == 2 * length)


def _of(bundle: Bundle, member: Member, what: tuple[str, str]) -> Badge:
    return Badge(_uid(bundle, member), member.id, what)


def _uid(bundle: Bundle, member: Member) -> str:
    return next(c.uid.lower() for c in bundle.credentials if c.member == member.id and c.status == "active")
