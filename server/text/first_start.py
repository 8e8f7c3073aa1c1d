"""What are the steps of the first start called, and what is wrong in their fields?"""

from babel import Locale

from server.queries.first_start import Step
from server.queries.names import alphabetical
from server.text.translate import N_, gettext, language

STEPS = {
    Step.FACTS: (N_("Le nom, l’heure et les jours fériés"), N_("Comment s’appelle ce lieu, et où est-il ?")),
    Step.HOURS: (N_("Les horaires de l’équipe"), N_("Quand la porte s’ouvre-t-elle à tous les membres ?")),
    Step.PLACES: (N_("Les portes et les machines"), N_("Ce que les boîtiers annoncent est déjà proposé.")),
    Step.TIERS: (N_("Les formules"), N_("Qui entre quand ? Un jeu habituel suffit pour commencer.")),
    Step.PEOPLE: (N_("Les personnes"), N_("Depuis un fichier, ou une par une.")),
}
PRESETS = {
    "coworking": N_("Un coworking : équipe, résidents, nomades, carnets de demi-journées"),
    "fablab": N_("Un fablab : équipe, fabriqueurs, carnets de journées"),
    "both": N_("Les deux"),
}
DONE = {
    "facts": N_("C’est noté."),
    "places": N_("Portes et machines enregistrées."),
    "tiers": N_("Formules enregistrées."),
}
WRONG = {
    "name": N_("Écrivez le nom sur une ligne, en 200 signes au plus."),
    "timezone": N_("Choisissez un fuseau de la liste, comme Europe/Paris."),
    "holidays": N_("Ce pays n’a pas cette région : laissez vide, ou écrivez son code, comme 57 pour la Moselle."),
    "capacity": N_("Écrivez un nombre entre 1 et 1 000 000, ou rien."),
    "preset": N_("Choisissez un des trois jeux."),
    "id": N_("Comme dans server.toml, une seule fois : 1 à 64 lettres sans accent, chiffres, - ou _."),
    "name-": N_("Écrivez un nom que rien d’autre ne porte, sur une ligne."),
    "reader": N_("Écrivez le lecteur comme dans edge.toml ; un lecteur ne sert qu’à une porte ou machine."),
    "out": N_("Écrivez le lecteur de sortie comme dans edge.toml, ou rien ; un lecteur ne sert qu’une fois."),
    "kind": N_("Écrivez le nom de la formation sur une ligne."),
}
"""By field, of a row of places by what stands before its number."""


def wrong(field: str) -> str:
    head, _, row = field.partition("-")
    return gettext(WRONG[f"{head}-" if row and f"{head}-" in WRONG else head])


def countries(kept: str) -> list[tuple[str, str]]:
    """(code, name) of those whose public holidays are known, A to Z, each once, and the one that the site has."""
    from holidays import list_supported_countries  # a fifth of a second: for whoever asks

    names = Locale.parse(language()).territories
    codes = {code for code in list_supported_countries() if code in names} | ({kept} if kept else set())
    return sorted(((code, names.get(code, code)) for code in codes), key=lambda one: alphabetical(one[1]))
