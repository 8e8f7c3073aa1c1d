"""*Santé*: the worst first, each with what helps; of what is silent nothing is claimed; late copies call the team."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from console.version import version
from policy.instants import text
from policy.terms import DAY, MINUTE, ClockState
from server.database.types import moment
from server.health import Copies, Health
from tests.support_accounts import account_of
from tests.support_pages import Place
from wire.messages import Status

pytestmark = pytest.mark.sqlite
NAS = "sftp://loquet@nas.lan/copies"


def test_what_is_to_be_done_first_stands_on_top_and_each_has_its_remedy(place: Place) -> None:
    place.link_up = False
    place.health = Health(
        (Copies("", moment(place.now), "", late=False), Copies(NAS, None, "no route", late=True)),
        moment(place.now) + timedelta(days=29),
        300,
    )
    place.desk.say(Status(True, clock=ClockState.UNKNOWN, free_disk=20, temperature=84.6, software="0.0.1"))
    seen = place.page("/sante", place.staff())
    assert "À faire d’abord · Lien avec les boîtiers Le lien avec les boîtiers est coupé : mosquitto ne" in seen
    for words in (
        "la sauvegarde date de 19 h 12",
        f"la sauvegarde sur {NAS} n’a jamais été faite La clé USB est-elle branchée",
        "son certificat finit le",
        "il reste 300 Mo sur le disque Faites de la place",
        "horloge perdue Vérifiez le réseau ou la pile",
        "il reste 20 Mo sur sa carte",
        "son processeur est à 85 °C",
        f"version 0.0.1, le serveur a la {version()}",
        "le serveur n’envoie pas de courriel",
    ):
        assert words in seen
    titles = re.findall(r"<b>([^<]*)</b>", place.staff().get("/sante").text)
    ours = ["Sauvegarde", "Disque du serveur", "Courriel", "Certificat du serveur", "Version du serveur"]
    assert [one for one in ours if titles.count(one) != 1 + (one == "Sauvegarde")] == [], "each says what it is about"
    in_order = ("n’a jamais été faite", "horloge perdue", "de courriel", "date de 19 h 12")
    order = [seen.index(words) for words in in_order]
    assert order == sorted(order)


def test_what_an_edge_says_of_card_certificate_and_rules_and_what_it_does_not_say(place: Place) -> None:
    """Missing data is told as unknown, never as good; each limit is told before it is reached."""
    silence = (
        "son boîtier ne dit pas : sa version, jusqu’à quand ses règles valent, la fin de son certificat, "
        "la place sur sa carte"
    )
    place.speak()
    seen = place.page("/sante", place.staff())
    assert silence in seen
    assert "Mettez-le à jour : ansible-playbook upgrade.yml. Sans liaison chiffrée il n’a pas de certificat." in seen
    whole = Status(
        True,
        software=version(),
        wear=20,
        certificate_until=text(place.now + 31 * DAY),
        rules_until=text(place.now + 14 * DAY),
        free_disk=58_644,
        temperature=48.4,
    )
    place.desk.say(whole)
    seen = place.page("/sante", place.staff())
    assert (
        f"en ligne depuis 19 h 12 · version {version()} · ses règles valent jusqu’au mar. 8 déc. · son certificat est"
        " valable jusqu’au ven. 25 déc. · sa carte est usée à 20 % · il reste 58 Go sur sa carte · son processeur est"
        " à 48 °C"
    ) in seen
    assert "son boîtier ne dit pas" not in seen
    for said, words in (
        ({"wear": 80}, "à regarder sa carte est usée à 80 % Remplacez-la"),
        ({"wear": 110}, "en panne sa carte est usée à 110 % Remplacez-la"),
        ({"certificate_until": text(place.now + 29 * DAY)}, "à regarder son certificat finit le mer. 23 déc."),
        ({"certificate_until": text(place.now - DAY)}, "en panne son certificat finit le lun. 23 nov."),
        ({"rules_until": text(place.now + 2 * DAY)}, "à regarder ses règles valent jusqu’au jeu. 26 nov. Remettez"),
        ({"rules_until": text(place.now - 1)}, "en panne ses règles ne valent plus depuis le mar. 24 nov. Remettez"),
        (
            {"wear": None},
            "à savoir son boîtier ne dit pas : l’usure de sa carte Peu de cartes disent leur usure : rien à faire.",
        ),
    ):
        place.desk.say(replace(whole, **said))
        assert words in place.page("/sante", place.staff())
    place.desk.say(whole)
    place.desk.say(Status(False))
    gone = place.page("/sante", place.staff())
    assert "en ordre ses règles valent jusqu’au mar. 8 déc." in gone  # which stays true of one that is away
    assert "son certificat est valable" not in gone


def test_a_server_without_copies_is_told_and_who_may_see_it(place: Place) -> None:
    assert "La base n’est pas sauvegardée Écrivez [backup]" in place.page("/sante", place.staff())
    assert account_of(place, "remy").get("/sante").status_code == 403


def test_of_an_edge_that_is_silent_nothing_is_claimed(place: Place) -> None:
    place.desk.say(Status(True, clock=ClockState.UNKNOWN, free_disk=20, temperature=84.0, software="0.0.1"))
    place.now += 2 * MINUTE + 1
    silent = place.page("/sante", place.staff())
    assert "muette depuis 19 h 12 Vérifiez son réseau et son courant" in silent
    place.desk.say(Status(False))
    gone = place.page("/sante", place.staff())
    assert "muette depuis" in gone
    for seen in (silent, gone):
        assert not any(words in seen for words in ("horloge perdue", "20 Mo", "84 °C", "0.0.1"))


def test_copies_that_are_late_call_the_team_and_nobody_else(place: Place) -> None:
    place.health = Health((Copies("", moment(place.now), "", late=False),))
    assert "Sauvegarde en retard" not in place.page("/", place.staff())
    place.health = Health((Copies("", moment(place.now) - timedelta(hours=2), "", late=True),))
    assert "Sauvegarde en retard la plus récente : 17 h 12" in place.page("/", place.staff())
    assert "Sauvegarde" not in place.page("/", account_of(place, "gregoire"))
    place.health = Health((Copies("", None, "", late=True),))
    assert "Sauvegarde en retard la plus récente : jamais" in place.page("/", place.staff())
