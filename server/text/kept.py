"""What does Loquet keep of people, how long, why, and who sees it? One list: for the page, and for the site's register.

The figures are those that the code goes by (server/changes/purge.py and others), the live setting among them.
"""

from dataclasses import dataclass

from policy.ruleset import Period
from server.changes.accounts import INVITED
from server.changes.member_import import KEPT
from server.changes.purge import AUDIT_KEPT, CERTIFIED_KEPT, COUNTED
from server.queries.accounts import MEMBER_LASTS, TEAM_LASTS
from server.queries.now import FEW
from server.text.translate import N_, gettext

EDGES_KEEP = 30
"""Days for which a door's own box keeps what the server has (edge/journal.py:KEEP)."""
YEAR = 365


@dataclass(frozen=True, slots=True)
class Line:
    """what is kept, until when, why, and who sees it."""

    what: str
    until: str
    why: str
    who: str


LINES = (
    Line(
        N_("Vos passages : quand, à quelle porte, et pourquoi elle a ouvert ou non"),
        N_("%(days)s jours, puis effacés jusqu’au dernier octet"),
        N_("La sécurité : savoir qui est là lors d’une évacuation, comprendre un refus, corriger un oubli"),
        N_("Vous ; l’équipe, qui note pourquoi elle les lit ; le gardien qui tient le lieu, pour qui est là"),
    ),
    Line(
        N_("L’usage des machines, les visiteurs inscrits à la main, les messages envoyés"),
        N_("%(days)s jours ; l’usage que compte un quota par semaine, %(week)s au moins, par mois, %(month)s"),
        N_("La sécurité des machines, l’évacuation, savoir si un message est arrivé"),
        N_("Vous, l’équipe, les responsables du fablab pour les machines"),
    ),
    Line(
        N_("Votre fiche : nom, formule, dates, rôles, numéros de vos badges"),
        N_("Tant que vous êtes membre, puis parmi les anciens membres"),
        N_("Faire ouvrir la porte à votre badge, et à lui seul"),
        N_("Vous, l’équipe"),
    ),
    Line(
        N_("Vos carnets : ce que vous avez pris, et les demi-journées payées, sans leur heure après %(days)s jours"),
        N_("Avec les comptes, que la loi fait garder 10 ans"),
        N_("Compter juste ce que vous avez payé"),
        N_("Vous, l’équipe"),
    ),
    Line(
        N_("Vos formations"),
        N_("%(certified)s ans après leur fin"),
        N_("Savoir qui avait la formation, si un accident est discuté"),
        N_("Vous, l’équipe, les responsables du fablab"),
    ),
    Line(
        N_("Qui a changé ou lu quoi dans Loquet"),
        N_("%(audit)s an ; rôles, gardes, réglages et crédits restent avec les comptes"),
        N_("Que personne ne lise ni ne change rien en cachette"),
        N_("Vous, pour votre fiche ; qui administre, pour le reste"),
    ),
    Line(
        N_("Votre compte : identifiant, empreinte du mot de passe, appareils connectés, identité liée ailleurs"),
        N_("Une connexion %(member)s jours, %(team)s h pour l’équipe ; un lien d’invitation %(invited)s jours"),
        N_("Vous connecter, et vous seul·e"),
        N_("Vous, qui administre ; le mot de passe, personne"),
    ),
    Line(
        N_("Par où l’on vous prévient : ntfy, Matrix, robot du lieu ; vos nuits calmes"),
        N_("Jusqu’à ce que vous en changiez, ou soyez effacé·e"),
        N_("Vous prévenir"),
        N_("Vous"),
    ),
    Line(
        N_("Que vous voulez savoir si ce soir change"),
        N_("Jusqu’au lendemain matin"),
        N_("Vous prévenir"),
        N_("Vous"),
    ),
    Line(
        N_("Le nom d’un invité d’un jour, et ses journées"),
        N_("Le jour %(days)s jours, ensuite le mois seul ; le nom aussi longtemps, et jusqu’à la fin de l’année"),
        N_("Compter les journées de chaque accord"),
        N_("L’équipe, les gardiens"),
    ),
    Line(
        N_("Un fichier de membres importé"),
        N_("%(file)s h"),
        N_("Pouvoir annuler l’import"),
        N_("L’équipe"),
    ),
    Line(
        N_("Dans le boîtier de chaque porte : des badges sans nom, et leurs passages"),
        N_("%(edges)s jours après que le serveur les a"),
        N_("Ouvrir sans réseau, et ne rien perdre"),
        N_("Personne"),
    ),
    Line(
        N_("Combien de personnes étaient là, heure par heure, sans nom"),
        N_("Pour toujours"),
        N_("Savoir si le lieu sert, et quand"),
        N_("Tout le monde, sauf quand il y en a moins de %(few)s"),
    ),
)
NEVER = (
    N_("Aucune photo, aucun suivi d’une pièce à l’autre, aucune note sur personne."),
    N_("Rien ne part hors de la machine du lieu, que les messages qui vous sont envoyés, par où vous l’avez choisi."),
)

GOES = (
    N_("Le nom, les badges, les formations, les réservations, les invitations, le compte et ses appareils."),
    N_("Qui a passé quelle porte : il n’en reste que l’heure, pour les comptages."),
    N_("Ce que le journal des décisions dit de cette personne."),
)
STAYS = (
    N_("Sans nom, les carnets, demi-journées payées, gardes et crédits : la loi fait garder les comptes 10 ans."),
    N_("Que l’effacement a été fait, quand et par qui."),
    N_("Ce qu’un compte de l’équipe a décidé, sous son identifiant, un an."),
    N_("Les copies de sauvegarde d’avant, 30 jours ; aux portes, des numéros brouillés, %(edges)s jours."),
)


def erasing() -> list[tuple[str, list[str]]]:
    """What goes and what stays when a former member asks to be forgotten, each with its title."""
    told = {"edges": EDGES_KEEP}
    return [
        (gettext("Ce qui part, tout de suite et jusqu’au dernier octet :"), [gettext(line) for line in GOES]),
        (gettext("Ce qui reste :"), [gettext(line, **told) for line in STAYS]),
    ]


def lines(days: int) -> list[Line]:
    """In the reader's language. days: for which passages are kept by name."""
    told = {
        "days": days,
        "week": COUNTED[Period.WEEK.value],
        "month": COUNTED[Period.MONTH.value],
        "certified": CERTIFIED_KEPT.days // YEAR,
        "audit": AUDIT_KEPT.days // YEAR,
        "member": MEMBER_LASTS.days,
        "team": TEAM_LASTS.seconds // 3600,
        "invited": INVITED.days,
        "file": KEPT.days * 24,
        "edges": EDGES_KEEP,
        "few": FEW,
    }
    return [Line(*(gettext(said, **told) for said in (one.what, one.until, one.why, one.who))) for one in LINES]
