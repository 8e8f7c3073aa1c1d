"""Why was a message not sent, and what helps?"""

from server.outbox import CERTIFICATE, LOGIN, NO_TLS
from server.queries.messages import ADDRESS
from server.text.translate import N_, gettext

MENDED = {
    LOGIN: N_(
        "le serveur de courrier refuse l’identifiant ou le mot de passe (%(said)s). Corrigez [smtp] dans server.toml "
        "et redémarrez le serveur ; le message attend"
    ),
    CERTIFICATE: N_(
        "le certificat du serveur de courrier n’est pas reconnu (%(said)s), rien ne lui a été dit. Voyez host et ca de "
        "[smtp] dans server.toml et redémarrez le serveur ; le message attend"
    ),
    NO_TLS: N_(
        "le serveur de courrier n’offre pas ce que [smtp] demande (%(said)s). Voyez port et security dans server.toml "
        "et redémarrez le serveur ; le message attend"
    ),
    ADDRESS: N_("cette adresse ne prend pas le courriel (%(said)s)"),
}


def why(written: str) -> str:
    """What the mail server said, as it said it, where nothing is known that helps."""
    kind, _, said = written.partition(": ")
    return gettext(MENDED[kind], said=said) if kind in MENDED else written
