"""What do gardiens read by mail about their evenings? Subject and body of each; the page's address follows."""

from server.text.translate import N_

PAGE = "/gardiens"
OFFERED = (
    N_("Garde à reprendre : %(when)s"),
    N_("%(who)s ne peut pas, ou préfère ne pas, tenir la garde du %(when)s.\nQui peut la prend en un geste :\n"),
)
GIVEN_BACK = (
    N_("Soirée sans gardien : %(when)s"),
    N_("%(who)s a rendu la garde du %(when)s.\nQui peut la prend en un geste :\n"),
)
TAKEN = (
    N_("Votre garde est reprise : %(when)s"),
    N_("%(who)s tient la garde du %(when)s à votre place. Vous n’avez plus rien à faire.\n"),
)
GIVEN = (
    N_("Une garde pour vous : %(when)s"),
    N_("L’équipe vous a noté la garde du %(when)s. Si vous ne pouvez pas, rendez-la ici :\n"),
)
GAPS = (
    N_("Personne pour ouvrir : %(when)s"),
    N_("Sans gardien, la porte reste fermée :\n%(lines)sEt ensuite, d’ici deux semaines :\n%(others)s"),
)
LATE = (
    N_("%(who)s n’est pas là : garde du %(when)s"),
    N_("La garde a commencé il y a un quart d’heure, et %(who)s n’a pas badgé. Qui peut y aller ? Les gardes :\n"),
)
LATER = (
    N_("Commence plus tard : %(when)s"),
    N_("%(who)s sera en retard ; la garde est maintenant : %(when)s.\nQui peut ouvrir avant prévient les autres :\n"),
)
EARLIER = (
    N_("Finit plus tôt : %(when)s"),
    N_("%(who)s part plus tôt ; la garde est maintenant : %(when)s. Sans relais, tout le monde sort avec :\n"),
)
ASKED = (
    N_("Et vous ? Soirée sans gardien : %(when)s"),
    N_(
        "Personne ne tient la soirée du %(when)s. C’est à vous qu’on le demande en ce moment, pour trois heures ; "
        "ensuite à quelqu’un d’autre. Un geste suffit ; si c’est non, on ne vous le redemande pas :\n"
    ),
)
SWAP_PROPOSED = (
    N_("%(who)s vous propose un échange de gardes"),
    N_("La sienne contre la vôtre :\n%(lines)sRien ne change sans votre oui :\n"),
)
SWAP_ACCEPTED = (N_("Échange accepté par %(who)s"), N_("C’est fait :\n%(lines)s"))
SWAP_REFUSED = (N_("%(who)s ne fait pas l’échange"), N_("Rien ne change à vos gardes.%(lines)s\n"))
AWAY = (
    N_("%(who)s s’absente : des gardes à reprendre"),
    N_("%(who)s est absent·e, et ces gardes sont à reprendre :\n%(lines)sQui peut en prend une en un geste :\n"),
)
