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
