"""Every reason that a door can give has its words, in French and in English."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from babel.messages.extract import extract_from_dir

from policy import door
from policy.bundle import Credential
from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server import catalogue, language
from server.history import Passage
from server.importer import replace
from server.words import REMEDIES, SENTENCES, remedy, title, words
from tests.support_pages import CREDENTIAL_KEY, Place
from tests.support_site import ALICE, at
from wire.credential import pseudonym

DOOR = Path(door.__file__).read_text()
GIVEN = {Reason[name] for name in Reason.__members__ if f"Reason.{name}" in DOOR}
REFUSALS = GIVEN - {
    Reason.EGRESS,
    Reason.STAFF,
    Reason.OWN_SHIFT,
    Reason.ALWAYS,
    Reason.STAFFED_HOURS,
    Reason.GARDIEN_PRESENT,
    Reason.GARDIEN_GRACE,
}


def passage(reason: Reason, member: str | None = "zoe", when: int = at(20), credential: str = "") -> Passage:
    granted = reason not in REFUSALS
    return Passage(1, "front", "j1", 1, when, "front-in", "in", credential, member, "Zoé Wibaux", granted, reason)


@pytest.fixture
def french(place: Place) -> Iterator[Place]:
    with place.app.test_request_context("/"):
        yield place


def said(place: Place, told: Passage) -> str:
    return words(told, place.publisher.current, place.now).sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_each_reason_of_a_door_has_words() -> None:
    assert set(SENTENCES) == GIVEN
    assert set(REMEDIES) == REFUSALS


@pytest.mark.parametrize("reason", sorted(GIVEN))
def test_each_reason_is_said_whatever_is_known(place: Place, reason: Reason) -> None:
    heard = set()
    for path in ("/", "/?lang=en"):
        with place.app.test_request_context(path):
            told = words(passage(reason), place.publisher.current, place.now)
            assert "{" not in told.sentence
            assert (told.remedy is None) == (reason not in REFUSALS)
            assert told.colour == ("bad" if reason in REFUSALS else "good")
            heard |= {told.sentence, title(reason)}
    assert len(heard) >= 2
    assert reason.value not in heard - {"staff"}


FACTS = {
    "own shift": (passage(Reason.OWN_SHIFT, "gregoire", at(18, 4)), "jusqu’à 22 h", "until 22:00"),
    "in the lead": (passage(Reason.OWN_SHIFT, "gregoire", at(17, 40)), "jusqu’à 22 h", "until 22:00"),
    "no shift any more": (passage(Reason.OWN_SHIFT, "zoe"), "vous tenez le lieu", "you hold the place"),
    "opens tomorrow": (
        passage(Reason.OUTSIDE_HOURS),
        "prochaine ouverture demain à 9 h",
        "next opening tomorrow at 09:00",
    ),
    "membership over": (
        passage(Reason.MEMBERSHIP_NOT_VALID, "brigitte", at(12) + 60 * DAY),
        "terminée le jeu. 31 déc.",
        "ended on Thu 31 Dec",
    ),
    "membership to come": (
        passage(Reason.MEMBERSHIP_NOT_VALID, "remy", at(12) - 400 * DAY),
        "commence le lun. 5 janv.",
        "starts on Mon 5 Jan",
    ),
    "a member who is gone": (passage(Reason.MEMBERSHIP_NOT_VALID, "ghost"), "n’est pas valable", "is not valid"),
    "an unknown badge": (passage(Reason.CREDENTIAL_BLOCKED), "ce badge est bloqué", "this badge is blocked"),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_filled_in(place: Place, name: str) -> None:
    told, french, english = FACTS[name]
    with place.app.test_request_context("/"):
        assert french in said(place, told)
    with place.app.test_request_context("/?lang=en"):
        assert english in said(place, told)


@pytest.mark.parametrize(
    ("credential", "sentence"),
    [
        (Credential(uid=ALICE.hex(), member="alice", status="lost"), "ce badge a été déclaré perdu"),
        (Credential(uid=ALICE.hex(), member="alice", status="stolen"), "ce badge a été déclaré volé"),
        (
            Credential(uid=ALICE.hex(), member="alice", valid_until=date(2026, 11, 20)),
            "ce badge n’est plus valable depuis le ven. 20 nov.",
        ),
        (Credential(uid=ALICE.hex(), member="alice"), "ce badge est bloqué"),
    ],
)
def test_why_a_badge_is_blocked(french: Place, credential: Credential, sentence: str) -> None:
    bundle = msgspec.structs.replace(french.publisher.current.bundle, credentials=(credential,))
    with french.database.transaction() as session:
        replace(session, bundle)
    french.publisher.publish()
    badge = pseudonym(CREDENTIAL_KEY, ALICE)
    assert said(french, passage(Reason.CREDENTIAL_BLOCKED, "alice", credential=badge)) == sentence


def test_a_reason_of_a_later_version_is_shown_as_it_is(french: Place) -> None:
    assert said(french, passage(Reason.QUOTA_EXHAUSTED)) == "quota_exhausted"
    assert title(Reason.QUOTA_EXHAUSTED) == "quota_exhausted"
    assert remedy(Reason.QUOTA_EXHAUSTED) is None


# Dates and hours


@pytest.mark.parametrize(
    ("when", "french", "english"),
    [
        (at(18, 30), "18 h 30", "18:30"),
        (at(22), "22 h", "22:00"),
        (at(9, 5), "9 h 05", "09:05"),
        (at(0), "0 h", "00:00"),
        (at(9) + DAY, "demain à 9 h", "tomorrow at 09:00"),
        (at(23, 59) - DAY, "hier à 23 h 59", "yesterday at 23:59"),
        (at(9) + 2 * DAY, "jeu. 26 nov. à 9 h", "Thu 26 Nov at 09:00"),
    ],
)
def test_hours_and_days(place: Place, when: int, french: str, english: str) -> None:
    for path, expected in (("/", french), ("/?lang=en", english)):
        with place.app.test_request_context(path):
            assert language.when(when, at(12)).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_hours_are_the_site_s_in_summer_too(french: Place) -> None:
    assert language.hour(at(12) + 180 * DAY).replace("\N{NO-BREAK SPACE}", " ") == "13 h"
    assert language.hour(at(12) + HOUR) == "13\N{NO-BREAK SPACE}h"


@pytest.mark.parametrize(
    ("name", "short"),
    [("Maëlle Bernard", "Maëlle B."), ("Jean-Paul de la Tour", "Jean-Paul T."), ("Cher", "Cher"), ("", ""), (None, "")],
)
def test_short_names(name: str | None, short: str) -> None:
    assert language.short_name(name).replace("\N{NO-BREAK SPACE}", " ") == short


# The catalogue


def test_every_sentence_is_translated() -> None:
    english = catalogue.translated()
    said_ids = {message.id for message in catalogue.extracted() if message.id}
    assert said_ids == {message.id for message in english if message.id}
    assert catalogue.missing(english) == []


def test_the_compiled_catalogue_is_that_of_the_written_one() -> None:
    assert (catalogue.FOLDER / "messages.mo").read_bytes() == catalogue.compiled(catalogue.translated())


def test_translations_keep_the_facts() -> None:
    for message in catalogue.translated():
        french = message.id if isinstance(message.id, tuple) else (message.id,)
        english = message.string if isinstance(message.string, tuple) else (message.string,)
        for one, other in zip(french, english, strict=True):
            assert names_in(one) == names_in(other), one


def names_in(sentence: str) -> set[str]:
    return {part.split("}")[0] for part in sentence.split("{")[1:]} | {
        p.split(")")[0] for p in sentence.split("%(")[1:]
    }


def test_a_sentence_without_english_is_named() -> None:
    english = catalogue.translated()
    english.add("une phrase de plus")
    assert catalogue.missing(english) == ["une phrase de plus"]


def test_french_typography() -> None:
    """The apostrophe of French is ’, and a blank stands before : ; ! ?"""
    for _file, _line, message, _comments, _context in extract_from_dir(
        str(catalogue.HERE), catalogue.METHODS, keywords=catalogue.KEYWORDS
    ):
        for sentence in message if isinstance(message, tuple) else (message,):
            assert "'" not in sentence
            assert not [s for s in ":;!?" if f"{s} " in sentence and f" {s}" not in sentence], sentence
