"""What does the desk read while a badge is enrolled?"""

from policy.terms import Instant
from policy.uids import Doubt
from server.publish.enrolments import Enrolment
from server.queries.names import Called
from server.text.dates import opens
from server.text.named import reader_at
from server.text.people import doubt
from server.text.translate import gettext
from wire.messages import Laid


def note(laid: Laid, holder: str | None) -> str:
    """What was laid that it was not. holder: the short name of whose badge it is."""
    if laid is Laid.RANDOM:
        return doubt(Doubt.RANDOM)
    if laid is Laid.SEVERAL:
        return gettext("Plusieurs badges à la fois : posez-en un seul.")
    return gettext("Ce badge est à %(name)s : posez le nouveau.", name=holder or gettext("quelqu’un d’autre"))


def unreachable(reader: str) -> str:
    return gettext(
        "Le %(reader)s n’a pas reçu la demande : son boîtier est hors ligne, ou ce lecteur n’existe plus. "
        "Voyez les portes sur « Maintenant », ou prenez un autre lecteur.",
        reader=reader,
    )


def busy(it: Enrolment, called: Called) -> str:
    """Somebody else's enrolment runs."""
    return gettext(
        "%(by)s enrôle déjà un badge pour %(member)s, au %(reader)s. Attendez que ce soit fini, puis recommencez.",
        by=it.by,
        member=called.member(it.member) or it.member,
        reader=reader_at(called, it.reader),
    )


def too_late() -> str:
    return gettext("Trop tard : ce numéro n’est plus gardé. Enrôlez le badge de nouveau, rien d’autre n’est perdu.")


def no_longer_unknown() -> str:
    return gettext("Ce badge n’est plus parmi les inconnus des dernières 24 heures. Enrôlez-le sur un lecteur.")


def laid(at: Instant, now: Instant, reader: str) -> str:
    """When and where an unknown badge was laid last."""
    return gettext("Posé %(when)s au %(reader)s", when=opens(at, now), reader=reader)
