"""What does the lamp beside a reader say? For members and gardiens; a drawing of each signal lies in static/lamps.

docs/operations.md tells the same to whoever repairs it, docs/fr/lampes.md is this page to print.
"""

from typing import NamedTuple

from server.text.translate import N_


class Lamp(NamedTuple):
    """signal: of edge/patterns.py, in small letters: the drawing's name. shows, means, helps: in French."""

    signal: str
    shows: str
    means: str
    helps: str


AT_THE_DOOR = (
    Lamp("granted", N_("verte, un bip court"), N_("C’est ouvert."), N_("Entrez.")),
    Lamp(
        "carnet_low",
        N_("verte, un bip court, puis un éclat ambre"),
        N_("C’est ouvert, mais votre carnet touche à sa fin."),
        N_("Entrez ; votre page dit ce qu’il reste."),
    ),
    Lamp(
        "see_desk",
        N_("rouge, un bip long"),
        N_("Il manque quelque chose à votre badge ou à votre adhésion."),
        N_("Votre page dit quoi ; sinon, passez à l’accueil."),
    ),
    Lamp(
        "not_now",
        N_("rouge deux fois, deux bips"),
        N_("Pas maintenant : fermé pour votre formule, ou le lieu est plein."),
        N_("Votre page dit quand cela ouvre."),
    ),
    Lamp(
        "call_gardien",
        N_("ambre quatre fois, quatre bips"),
        N_("La porte n’est plus sûre de rien : lieu confiné, serveur perdu trop longtemps, ou heure perdue."),
        N_("Appelez un gardien ou l’équipe. Pour sortir, rien ne change : la poignée suffit."),
    ),
    Lamp(
        "people_inside",
        N_("verte, un bip, puis autant d’éclats ambre avec bip qu’il reste de personnes, dix au plus (ici trois)"),
        N_("Vous étiez le dernier gardien, et il reste du monde à l’intérieur."),
        N_("Voyez qui est là. S’il n’y a plus personne, badgez encore en sortant, dans les vingt secondes."),
    ),
    Lamp(
        "closed",
        N_("verte, deux bips longs"),
        N_("Le lieu est fermé : ceux que la lampe comptait sont notés partis."),
        N_("Bonne soirée."),
    ),
    Lamp(
        "closing_soon",
        N_("ambre trois fois, trois bips longs"),
        N_("Le lieu ferme dans un quart d’heure, et personne ne prend la suite."),
        N_("Rangez, et badgez en sortant ; un gardien peut prolonger."),
    ),
    Lamp(
        "two_cards",
        N_("rouge, puis verte, trois fois chacune, trois bips"),
        N_("Deux cartes à la fois."),
        N_("Une seule : sortez le badge de l’étui, éloignez téléphone et carte bancaire."),
    ),
    Lamp(
        "try_again",
        N_("rouge, puis verte, deux fois chacune, lentement, deux bips"),
        N_("Quelque chose est là, mais ne se lit pas."),
        N_("Le badge bien à plat, seul, une seconde."),
    ),
    Lamp(
        "reader_fault",
        N_("deux éclats rouges, sans cesse"),
        N_("Ce lecteur ne répond plus."),
        N_("Sonnez ; prévenez l’équipe."),
    ),
    Lamp(
        "no_rules",
        N_("un éclat ambre toutes les deux secondes"),
        N_("Boîtier neuf, qui attend ses règles."),
        N_("Prévenez l’équipe."),
    ),
    Lamp(
        "door_held",
        N_("ambre, un bip toutes les deux secondes"),
        N_("La porte reste ouverte."),
        N_("Fermez-la."),
    ),
    Lamp(
        "door_forced",
        N_("ambre, vingt bips"),
        N_("La porte a été ouverte sans badge."),
        N_("Regardez qui est entré ; prévenez le gardien."),
    ),
    Lamp(
        "lay_here",
        N_("ambre et verte tour à tour"),
        N_("L’accueil attend un nouveau badge ici, pendant une demi-minute."),
        N_("Posez le badge à donner ; un badge déjà connu ouvre comme d’habitude."),
    ),
    Lamp(
        "enrolled", N_("trois éclats verts, trois bips"), N_("Le nouveau badge est lu."), N_("Rien ne s’ouvre encore.")
    ),
    Lamp(
        "sound",
        N_("verte huit fois, puis rouge huit fois, seize bips"),
        N_("Quelqu’un de l’équipe cherche ce lecteur."),
        N_("Rien à faire."),
    ),
)
AT_A_MACHINE = (
    Lamp("machine_on", N_("verte"), N_("La machine est à vous."), N_("Posez votre badge pour terminer.")),
    Lamp(
        "machine_ends_soon",
        N_("verte et ambre tour à tour, un bip par seconde"),
        N_("La session finit bientôt : l’heure, quelqu’un est sorti, ou il faut être deux."),
        N_("Terminez, ou revenez près de la machine."),
    ),
    Lamp(
        "machine_overrun",
        N_("ambre, un bip toutes les cinq secondes"),
        N_("L’heure est passée."),
        N_("Quelqu’un attend peut-être : terminez."),
    ),
    Lamp(
        "machine_stopped",
        N_("rouge, une demi-seconde sur deux"),
        N_("Arrêt d’urgence."),
        N_("Relevez le bouton une fois le danger passé ; un responsable remet en service avec son badge."),
    ),
    Lamp(
        "machine_locked_out",
        N_("rouge, à peine interrompue"),
        N_("Hors service."),
        N_("Posez votre badge : votre page dit pourquoi."),
    ),
)
