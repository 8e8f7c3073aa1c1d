"""What are the invented people called? French first names and surnames, put together by chance."""

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = _words("""
    Adèle Agathe Aïcha Alix Aminata Anaïs Anouk Apolline Armelle Aude Aurore Awa Blandine Capucine Céleste Clémence
    Coralie Diane Djamila Élodie Éloïse Emna Enora Estelle Fanny Fatoumata Flavie Floriane Gaëlle Garance Hafsa
    Héloïse Inès Iris Jeanne Joséphine Juliette Kenza Leïla Lila Linh Lison Louna Lucie Maëlle Mahaut Maï Margaux
    Mathilde Mélusine Myriam Nadège Naïma Ninon Odile Ondine Ophélie Perrine Philippine Rokia Romane Rosalie Sabine
    Salomé Sidonie Solène Soraya Suzanne Tiphaine Violette Yasmine Yseult Zélie Zoé
""")

MEN = _words("""
    Achille Adama Alban Amaury Amir Anatole Antonin Armand Aubin Aurélien Auguste Bakary Baptiste Basile Bastien
    Benoît Brieuc Camille Célestin Clovis Corentin Côme Cyprien Damien Désiré Edgar Élias Éloi Erwan Étienne Fabien
    Félix Florent Gabin Gaspard Gaultier Ghislain Gwenaël Hakim Hippolyte Honoré Hugo Ibrahim Idriss Isidore Jérémie
    Joachim Josselin Kévin Killian Landry Léopold Loïc Lubin Malo Mamadou Marceau Matthias Maxence Minh Nabil Noé
    Octave Oscar Pacôme Quentin Rachid Rayan Rémi Roch Sacha Samir Sylvain Tarek Tristan Ulysse Valère Yanis Yvon
    Zacharie
""")

FAMILIES = _words("""
    Abgrall Allègre Andrieux Aubertin Azzoug Barbazan Bellanger Benhaddou Berthelot Besançon Boisrond Bonnefoy
    Boucharel Bourdelin Brisebarre Cadiou Camara Carpentras Castelnau Chabrier Chanteloup Charpin Clavière Cordonnier
    Courtemanche Coustel Dabilly Dauvergne Delacombe Delmotte Desmarais Diaby Dossou Duchesnay Escoffet Estienvre
    Fauconnet Ferrandi Fontanel Fourcade Gadbois Galtier Garrigue Gassama Gauvreau Ghezali Gourmelon Grandval
    Guérineau Guillerm Hadjadj Hautecoeur Hervouet Jacquelin Jaouen Jolivert Kerbrat Kermarrec Kouyaté Labrousse
    Lacassin Lagarrigue Lamberty Lanoix Laverdure Lebrazidec Lehuédé Lestienne Lormont Maloigne Mansouri Marchadier
    Maroteaux Mazurier Meziane Montagnac Morvillier Nguimbous Nivelle Ourmières Paimblanc Peltrault Perraudin
    Pichonnat
    Poinsignon Pradelle Quéméneur Quintard Ravenel Rebuffet Rivoallan Rochebrune Roquefeuil Sabatin Saint-Aubert
    Salvignac Sanogo Sauvageot Sérignac Tadjine Tavernet Thévenard Tissandier Touloumet Traverso Trévédic Vaillancourt
    Valmorin Varenne Vasseliers Verdelet Vieillescaze Vuillaumet Yakoubi Zemmani
""")


def names(chance: Random, women: int, men: int) -> list[str]:
    """As many full names of women and of men, shuffled together. No two people share a first name and a surname."""
    called: dict[str, None] = {}
    for first_names, count in ((WOMEN, women), (MEN, men)):
        wanted = len(called) + count
        while len(called) < wanted:
            called[f"{chance.choice(first_names)} {chance.choice(FAMILIES)}"] = None
    shuffled = list(called)
    chance.shuffle(shuffled)
    return shuffled
