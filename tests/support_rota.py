"""A rota for tests: three gardiens and the evenings of Tuesday to Friday, one of them without a gardien."""

from msgspec.structs import replace

from policy.bundle import Bundle, Member, Pattern, Role, Shift
from server.changes.bundle import import_bundle
from server.database.engine import Database
from tests.support_pages import Place
from tests.support_server import DECIDED, small_bundle

GAP, FRIDAY, SINGLE = "slot:jeudi/2026-12-03", "slot:vendredi/2026-11-27", "shift:samedi"


def rota_bundle() -> Bundle:
    """On Tuesday Grégoire, as in the small bundle; on Wednesday Odile, on Thursday nobody, on Friday Tarek."""
    small = small_bundle()
    gardiens = (
        Member(id="odile", name="Odile Marchetti", tier="nomad", roles=(Role.GARDIEN,)),
        Member(id="tarek", name="Tarek Benali", tier="nomad", roles=(Role.GARDIEN,)),
    )
    evenings = (("mercredi", "wed", "odile"), ("jeudi", "thu", None), ("vendredi", "fri", "tarek"))
    return replace(
        small,
        site=replace(small.site, adhoc_hours=3),
        members=(*small.members, *gardiens),
        shifts=(*small.shifts, Shift("samedi", "odile", "2026-11-28T10:00", "2026-11-28T18:00")),
        rota=tuple(Pattern(which, day, "18:00", "22:00", gardien=who) for which, day, who in evenings),  # type: ignore[arg-type]
    )


def rota_place(database: Database, bundle: Bundle | None = None) -> Place:
    with database.transaction() as session:
        import_bundle(session, bundle or rota_bundle(), DECIDED)
    return Place(database, sends_mail=True)
