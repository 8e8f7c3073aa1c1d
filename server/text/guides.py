"""What do members, gardiens and the desk have to know? One guide each, in French, for the page and for paper.

docs/fr has the same sheets (tools/guides writes them, and the pictures in static/guides). What stands between two *
is written so on a page or a press: tests/docs/test_guides.py looks it up.
"""

import re
from typing import NamedTuple

LOUD = re.compile(r"\*([^*]+)\*")


class Line(NamedTuple):
    """A question or a case, and what to do then."""

    case: str
    do: str


class Picture(NamedTuple):
    """A page as it looks on a phone. file: in static/guides, without .png. login: of the demo. path: its address.

    proves: stands on that page. said: in place of the picture.
    """

    file: str
    login: str
    path: str
    proves: str
    said: str


class Part(NamedTuple):
    """signals: of text/lamps.py, by name, told with their drawings."""

    title: str
    lines: tuple[Line, ...] = ()
    signals: tuple[str, ...] = ()
    picture: Picture | None = None


class Guide(NamedTuple):
    """name: in its address, and of its sheet in docs/fr."""

    name: str
    title: str
    lead: str
    parts: tuple[Part, ...]


MEMBERS = Guide(
    "membres",
    "Venir : le guide des membres",
    "À garder : entrer, sortir, se servir des machines, et quoi faire quand ça coince. Pour sortir, la poignée suffit "
    "toujours.",
    (
        Part(
            "Avant de venir",
            (
                Line("Est-ce ouvert ?", "La page *Maintenant* le dit à tout le monde, sans compte."),
                Line(
                    "Et pour mon badge ?",
                    "Votre page *Moi* répond comme la porte : maintenant et les jours suivants, et ce qu’entrer "
                    "vous coûte.",
                ),
                Line(
                    "« Probable », « incertain » ?",
                    "Le soir, le lieu ouvre quand un gardien est là. Probable : quelqu’un a pris la garde. "
                    "Incertain : la personne de garde cherche quelqu’un à sa place, ou n’est pas encore là.",
                ),
            ),
            picture=Picture(
                "moi",
                "carnet",
                "/me",
                "Mon carnet",
                "La page Moi sur un téléphone : la réponse d’abord, le carnet dessous",
            ),
        ),
        Part(
            "À la porte",
            (
                Line("Entrer", "Le badge bien à plat sur le lecteur, seul, une seconde. Vert : poussez."),
                Line(
                    "Sortir",
                    "La poignée. Badgez avant, si vous le pouvez : le gardien sait alors qui reste, les pompiers "
                    "aussi.",
                ),
                Line(
                    "Oublié de badger",
                    "Ce n’est pas grave. Dites-le à l’accueil ou au gardien, qui le note ; vous le lirez sur *Moi*.",
                ),
                Line(
                    "Un carnet",
                    "Une demi-journée est comptée à la première entrée, pas aux suivantes de la même demi-journée.",
                ),
            ),
            signals=(
                "granted",
                "carnet_low",
                "see_desk",
                "not_now",
                "call_gardien",
                "closing_soon",
                "two_cards",
                "try_again",
            ),
        ),
        Part(
            "Au fablab",
            (
                Line(
                    "La formation",
                    "*Formations*, puis *Je m’inscris*. Complet ? Vous attendez, et la première place libre est "
                    "à vous.",
                ),
                Line(
                    "Réserver",
                    "*Réserver* dit avant si la machine démarrera pour vous, et sinon ce qui manque. Badgez dessus "
                    "dans le quart d’heure : après, elle est rendue aux autres.",
                ),
                Line(
                    "Déjà prise",
                    "Attendez le créneau : s’il se libère, il vous est proposé pendant un quart d’heure.",
                ),
                Line(
                    "Démarrer, finir",
                    "Badgez d’abord à l’entrée, puis sur la machine : verte, elle est à vous. Le même badge la rend, "
                    "et ce qui reste de votre réservation aussi.",
                ),
                Line(
                    "Continuer",
                    "*Prolonger*, sur *Moi* ou sur la page de la machine, quand la suite s’est libérée.",
                ),
                Line(
                    "Un souci",
                    "*Signaler un souci*, sur la page de la machine. En danger, l’arrêt d’urgence d’abord.",
                ),
            ),
        ),
        Part(
            "Quand ça coince",
            (
                Line("Refusé", "*Moi*, puis *Pourquoi ?* : la raison en une phrase, et ce qui aide."),
                Line(
                    "Badge perdu ou volé",
                    "Dites-le aussitôt à l’accueil : quelques secondes plus tard, il n’ouvre plus rien.",
                ),
                Line(
                    "Une demi-journée comptée par erreur",
                    "Écrivez à l’équipe depuis votre page : elle la rend, avec la raison.",
                ),
                Line(
                    "Porte muette, lampe éteinte",
                    "Il n’y a plus de courant, ou le boîtier est en panne. Sonnez, ou appelez le gardien.",
                ),
                Line(
                    "Le feu, un malaise",
                    "18 ou 112. Sortez par la poignée, ne cherchez pas votre badge, attendez dehors qu’on vous ait vu.",
                ),
            ),
        ),
        Part(
            "Ce qui est gardé de vous",
            (
                Line(
                    "Vos passages",
                    "Quelques mois au plus, puis effacés. *Ce que Loquet garde*, au bas de chaque page, dit "
                    "combien, et qui voit quoi.",
                ),
                Line(
                    "Les voir tous",
                    "*Télécharger mes données*, au bas de *Moi*. Chaque lecture par l’équipe y est notée aussi.",
                ),
            ),
        ),
    ),
)

GARDIENS = Guide(
    "gardiens",
    "Tenir une soirée : le guide des gardiens",
    "Le lieu est ouvert parce que vous y êtes. Deux pages à garder près de la porte ; la porte décide seule, même "
    "sans réseau.",
    (
        Part(
            "Votre garde",
            (
                Line(
                    "Prendre une soirée",
                    "*Gardiens* montre les deux semaines à venir. *Je la prends*, et la soirée est à vous.",
                ),
                Line(
                    "Un empêchement",
                    "*Changer* : *Proposer* (la garde reste la vôtre tant que personne ne l’a prise), *Échanger…*, "
                    "ou *Rendre…*. "
                    "Plus vous le dites tôt, mieux c’est : on le dit aussitôt aux autres.",
                ),
                Line(
                    "Absent·e plusieurs jours",
                    "*Noter une absence…* : toutes vos gardes de ces jours sont proposées aux autres d’un coup. Qui en "
                    "prend une la tient ; ce que personne n’a pris reste à vous, et ne cherche plus personne dès que "
                    "vous retirez l’absence. Pour des mois, demandez à l’équipe : elle donne la soirée à quelqu’un "
                    "d’autre dans *Soirées*.",
                ),
                Line(
                    "Arriver",
                    "Badgez à l’entrée, dès une demi-heure avant si le lieu le permet : à partir de là les membres "
                    "entrent.",
                ),
                Line(
                    "En retard",
                    "*Je serai en retard…* : les membres lisent la nouvelle heure. Sans nouvelles, un quart d’heure "
                    "après le début, l’équipe et les autres gardiens l’apprennent, et la page dit que ce n’est pas "
                    "sûr. Appelez quelqu’un qui peut ouvrir.",
                ),
                Line("Partir avant la fin", "*Je pars plus tôt…* : on le dit à qui est là."),
                Line(
                    "Passer la main",
                    "La personne suivante badge avant que vous ne sortiez : le lieu reste ouvert sans interruption.",
                ),
                Line(
                    "Personne ne suit",
                    "Une demi-heure avant la fin, *Maintenant* le dit. *Je prolonge d’une heure*, ou prévenez ceux "
                    "qui sont là.",
                ),
            ),
            picture=Picture(
                "gardiens",
                "gardien",
                "/gardiens",
                "Les 14 prochains jours",
                "La page Gardiens sur un téléphone : ses gardes, et les soirées à prendre",
            ),
        ),
        Part(
            "Fermer",
            (
                Line(
                    "À la porte",
                    "Badgez la sortie. La lampe fait un éclat par personne encore notée dedans. Allez voir. S’il "
                    "n’y a plus personne, "
                    "badgez encore en sortant, dans les vingt secondes : deux longs verts, c’est fermé.",
                ),
                Line(
                    "Au téléphone",
                    "*Fermer le lieu* : qui est encore là, avec *Déjà parti·e ? Vers quelle heure ?* pour chacun, "
                    "puis la fermeture. "
                    "Qui « peut rester » (résidents, équipe) ne vous retient pas.",
                ),
                Line(
                    "Avant de partir",
                    "Machines éteintes, fenêtres, eau, lumières, poubelles ; tirez la porte, vérifiez qu’elle tient.",
                ),
            ),
            signals=("people_inside", "closed", "closing_soon"),
            picture=Picture(
                "fermer",
                "gardien",
                "/fermer",
                "Déjà parti·e",
                "La page Fermer le lieu sur un téléphone : qui est encore dedans",
            ),
        ),
        Part(
            "Quand quelque chose ne va pas",
            (
                Line(
                    "La porte ne s’ouvre pas",
                    "Regardez la lampe. Ambre quatre fois : elle n’est plus sûre de l’heure ou de ses règles ; "
                    "votre badge de gardien "
                    "ouvre encore, sauf confinement. Éteinte : plus de courant, voyez le disjoncteur. Sinon la clé "
                    "de secours, et l’équipe.",
                ),
                Line(
                    "Un membre est refusé",
                    "*Maintenant* dit pourquoi, et ce qui aide. N’ouvrez pas à qui vous ne connaissez pas.",
                ),
                Line(
                    "La porte a été forcée",
                    "Regardez qui est entré. *Maintenant* a l’alerte : *Je m’en occupe*, pour que les autres le "
                    "sachent.",
                ),
                Line(
                    "Le réseau est en panne",
                    "Rien à faire : la porte continue, la fermeture au deuxième badge aussi, et tout est raconté au "
                    "retour du réseau. "
                    "Les pages, elles, peuvent dater : elles le disent.",
                ),
                Line(
                    "Plus de courant",
                    "On sort par la poignée. On n’entre qu’à la clé. Les machines sont coupées, et ne repartent pas "
                    "seules.",
                ),
                Line(
                    "Quelqu’un est blessé",
                    "Arrêt d’urgence de la machine s’il le faut. 15 ou 112, haut-parleur, l’adresse d’abord. "
                    "Quelqu’un va ouvrir aux secours. "
                    "Trousse et défibrillateur : écrivez ici où. Ensuite l’équipe, quelle que soit l’heure.",
                ),
                Line(
                    "Le feu",
                    "Tout le monde dehors, par la poignée, sans badge. 18 ou 112. *Évacuation*, au "
                    "menu, donne la liste de ceux qui sont dedans ; comptez-les dehors. Ne rentrez pas.",
                ),
                Line(
                    "Une menace dehors",
                    "Restez dedans, appelez le 17. L’équipe peut confiner le lieu : plus personne n’entre, on sort "
                    "toujours.",
                ),
            ),
            signals=("call_gardien", "door_forced", "door_held", "reader_fault"),
        ),
        Part(
            "Vos heures",
            (
                Line(
                    "Ce que la coop vous doit",
                    "*Banque d’heures* : chaque garde, et les minutes où vous étiez là. Comptées la nuit qui suit.",
                ),
                Line(
                    "C’est faux ?",
                    "*Contester…* sous la ligne : l’équipe répond par écrit. Rien n’est jamais effacé, une ligne en "
                    "corrige une autre.",
                ),
                Line(
                    "Les dépenser",
                    "Venez : les demi-journées gagnées sont sur votre carnet, et la porte les prend comme les autres.",
                ),
            ),
        ),
    ),
)

DESK = Guide(
    "accueil",
    "À l’accueil : le guide de l’équipe",
    "Les gestes de tous les jours, et ceux qu’on espère ne jamais faire.",
    (
        Part(
            "Tous les jours",
            (
                Line(
                    "Qui demande quelque chose ?",
                    "*Membres* met en tête ceux qu’il faut regarder : adhésion finie, carnet épuisé, accès suspendu.",
                ),
                Line(
                    "Quelqu’un arrive",
                    "*Ajouter un membre*, sa formule, puis *Enrôler un badge…* : la personne pose le badge sur le "
                    "lecteur, vous confirmez.",
                ),
                Line("Un badge oublié", "*Prêter un badge du jour…* : il ouvre jusqu’au soir, puis plus rien."),
                Line(
                    "Un badge perdu",
                    "Sa fiche, l’état *perdu* : une pression, et la page dit combien de portes le savent.",
                ),
                Line(
                    "Un carnet", "*Vendre un carnet…* sur sa fiche. Une demi-journée de trop se rend, avec la raison."
                ),
                Line("Pourquoi ce refus ?", "*Aujourd’hui* a le refus, sa raison, et ce qui aide."),
                Line(
                    "Lire ses passages",
                    "Il faut une raison, et la personne la lira : c’est la règle, pas de la méfiance.",
                ),
            ),
            picture=Picture(
                "membres",
                "accueil",
                "/members",
                "À regarder d’abord",
                "La page Membres sur un téléphone : ceux à regarder d’abord",
            ),
        ),
        Part(
            "Les horaires et les soirées",
            (
                Line(
                    "Fermer un jour", "*Horaires*, *Ajouter une fermeture…* ; la page dit avant qui n’entrerait plus."
                ),
                Line("Les soirées de la semaine", "*Soirées* : un changement vaut à partir d’un jour, le passé reste."),
                Line(
                    "Une soirée sans gardien",
                    "*Gardiens* : elle est proposée aux gardiens à tour de rôle ; vous pouvez la donner à quelqu’un.",
                ),
                Line(
                    "Les heures des gardiens",
                    "*Banque d’heures* : crédits (toujours deux noms), lignes contestées à répondre. *Chiffres des "
                    "gardes* : l’année, pour l’assemblée.",
                ),
            ),
        ),
        Part(
            "Quand quelque chose ne va pas",
            (
                Line(
                    "Une porte est muette",
                    "Elle décide seule. *Maintenant* dit depuis quand, et ce qui manque : réseau, courant, lecteur.",
                ),
                Line(
                    "Une porte ne s’ouvre plus",
                    "*Ouvrir une porte…* depuis *Maintenant* ; sinon la clé de secours. On sort toujours par la "
                    "poignée.",
                ),
                Line(
                    "Quelqu’un est blessé",
                    "15 ou 112. Arrêt d’urgence, puis *Mettre hors service…* sur la page de la machine, avec la "
                    "raison.",
                ),
                Line(
                    "Le feu",
                    "18 ou 112, tout le monde dehors. *Évacuation* : la liste se coche sans réseau. Imprimez-la un "
                    "jour calme, pour l’avoir vue.",
                ),
                Line(
                    "Une menace",
                    "*Confiner le lieu…* : plus aucune porte n’ouvre de dehors, sauf à l’équipe ; on sort toujours.",
                ),
                Line(
                    "Le serveur ou internet est tombé",
                    "Les portes continuent des jours durant. Notez sur papier ce qui change ; reportez-le ensuite.",
                ),
            ),
            picture=Picture(
                "evacuation",
                "accueil",
                "/evacuation",
                "Groupes et visiteurs",
                "La page Évacuation sur un téléphone : combien, qui, et depuis quelle porte",
            ),
        ),
        Part(
            "Le soir, le week-end",
            (
                Line(
                    "Qui appeler",
                    "Écrivez ici : gardien de ce soir, permanence de l’équipe, plombier, serrurier, assurance.",
                ),
                Line(
                    "Où sont",
                    "Clé de secours, disjoncteur, arrivée d’eau, extincteurs, trousse, défibrillateur : écrivez-le "
                    "ici aussi.",
                ),
            ),
        ),
    ),
)

GUIDES = {guide.name: guide for guide in (MEMBERS, GARDIENS, DESK)}


def pieces(text: str) -> list[tuple[str, bool]]:
    """The text piece by piece, each with whether it stands so on a page."""
    return [(piece, bool(which % 2)) for which, piece in enumerate(LOUD.split(text)) if piece]
