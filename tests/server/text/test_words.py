"""Every reason has its words, in French and in English, with what the server knows filled in."""

import re
from collections.abc import Iterator
from dataclasses import replace as replace_fields
from datetime import date

import msgspec
import pytest
from babel.messages.extract import extract_from_dir

from policy.bundle import Credential
from policy.reasons import Reason
from policy.terms import DAY, HOUR
from server.changes.bundle import import_bundle
from server.queries.history import Passage
from server.text import catalogue
from server.text import dates as language
from server.text.reasons import OF_MEMBERS, REMEDIES, SENTENCES, words
from server.text.translate import gettext, in_language, typeset
from tests.support_pages import CREDENTIAL_KEY, Place, plain
from tests.support_server import DECIDED, whole_bundle
from tests.support_site import ALICE, at
from wire.credential import pseudonym

pytestmark = pytest.mark.sqlite

NB = "\N{NO-BREAK SPACE}"

GRANTS = {
    Reason.EGRESS,
    Reason.STAFF,
    Reason.OWN_SHIFT,
    Reason.ALWAYS,
    Reason.TIER_HOURS,
    Reason.STAFFED_HOURS,
    Reason.GARDIEN_PRESENT,
    Reason.INVITED,
    Reason.EVENT,
    Reason.GARDIEN_GRACE,
    Reason.SESSION_ENDED,
    Reason.MACHINE_RESET,
    Reason.BOOKING,
    Reason.WALK_UP,
}
REFUSALS = set(Reason) - GRANTS


def passage(
    reason: Reason, member: str | None = "zoe", when: int = at(20), credential: str = "", reader: str = "front-in"
) -> Passage:
    granted = reason not in REFUSALS
    return Passage(1, "front", "j1", 1, when, reader, "in", credential, member, "Zoé Wibaux", granted, reason)


def at_laser(reason: Reason, when: int = at(20), member: str = "zoe", about: int | None = None) -> Passage:
    return replace_fields(passage(reason, member, when, reader="laser-tap"), direction="", about=about)


@pytest.fixture
def french(place: Place) -> Iterator[Place]:
    with place.app.test_request_context("/"):
        yield place


def said(place: Place, told: Passage) -> str:
    """To the member."""
    return words(told, place.publisher.current, place.now, to_member=True).sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_each_reason_has_words() -> None:
    assert set(SENTENCES) == set(Reason)
    assert set(REMEDIES) == REFUSALS


@pytest.mark.parametrize("reason", sorted(Reason))
def test_each_reason_is_said_whatever_is_known(place: Place, reason: Reason) -> None:
    heard = set()
    for path, to_member in (("/", True), ("/?lang=en", True), ("/", False), ("/?lang=en", False)):
        with place.app.test_request_context(path):
            told = words(passage(reason), place.publisher.current, place.now, to_member=to_member)
            assert "{" not in told.sentence
            assert (told.remedy is None) == (reason not in REFUSALS)
            assert told.colour == ("bad" if reason in REFUSALS else "good")
            heard.add(told.sentence)
    assert len(heard) >= 2
    assert reason.value not in heard


TO_YOU = re.compile(r"\b(vous|votre|vos|your?s?|nous)\b|\b(?!chez|assez)[a-zà-ÿ]+ez\b", re.IGNORECASE)


def test_what_the_team_reads_of_somebody_is_not_said_to_them() -> None:
    english = {message.id: message.string for message in catalogue.translated()}
    for reason, to_member in SENTENCES.items():
        for sentence in OF_MEMBERS.get(reason, to_member):
            assert not TO_YOU.search(sentence), sentence
            assert not TO_YOU.search(str(english[sentence])) or reason is Reason.EGRESS, sentence
    assert any(TO_YOU.search(sentence) for sentences in SENTENCES.values() for sentence in sentences)


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


def test_a_passage_long_before_a_shift_is_not_said_to_last_until_its_end(place: Place) -> None:
    with place.app.test_request_context("/"):
        assert "jusqu’à" not in said(place, passage(Reason.OWN_SHIFT, "gregoire", at(12)))


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
        import_bundle(session, bundle, DECIDED)
    french.publisher.publish()
    badge = pseudonym(CREDENTIAL_KEY, ALICE)
    assert said(french, passage(Reason.CREDENTIAL_BLOCKED, "alice", credential=badge)) == sentence


LASER = {
    "walk up": (at_laser(Reason.WALK_UP, about=at(21)), "à vous, jusqu’à 21 h", "yours until 21:00"),
    "walk up without an end": (at_laser(Reason.WALK_UP), "à vous", "yours"),
    "a booking": (at_laser(Reason.BOOKING, about=at(21)), "votre réservation, jusqu’à 21 h", "your booking, until"),
    "busy": (at_laser(Reason.MACHINE_BUSY, about=at(9) + DAY), "occupée jusqu’à demain à 9 h", "in use until tomorrow"),
    "busy without an end": (at_laser(Reason.MACHINE_BUSY), "occupée", "in use"),
    "ended": (at_laser(Reason.SESSION_ENDED, about=at(19, 18)), "session terminée, 42 min", "session ended, 42 min"),
    "locked out": (
        at_laser(Reason.MACHINE_LOCKED_OUT),
        "hors service : lentille fendue (Alice)",
        "out of service: lentille fendue (Alice)",
    ),
    "no training": (at_laser(Reason.NOT_CERTIFIED), "il faut la formation laser", "training laser is needed"),
    "a training with a name": (
        replace_fields(passage(Reason.NOT_CERTIFIED, reader="printer-tap"), direction=""),
        "il faut la formation Imprimante 3D",
        "training Imprimante 3D is needed",
    ),
    "an old training": (
        at_laser(Reason.CERTIFICATION_EXPIRED),
        "formation laser date de",
        "training laser has run",
    ),
    "after its hours": (
        at_laser(Reason.OUTSIDE_MACHINE_HOURS, at(22)),
        "la machine s’arrête à 21 h",
        "the machine stops at 21:00",
    ),
    "before its hours": (
        at_laser(Reason.OUTSIDE_MACHINE_HOURS, at(8)),
        "ne tourne pas à cette heure ; à nouveau 9 h",
        "does not run at this hour; again 09:00",
    ),
    "two people": (at_laser(Reason.COMPANION_REQUIRED), "il faut être deux", "two people are needed"),
    "booked": (
        at_laser(Reason.BOOKED_BY_OTHER, at(20, 5)),
        "réservée jusqu’à 21 h ; libérée à 20 h 15 si personne ne vient",
        "booked until 21:00; released at 20:15 if nobody comes",
    ),
    "booked and come": (at_laser(Reason.BOOKED_BY_OTHER, at(20, 30)), "réservée jusqu’à 21 h", "booked until 21:00"),
    "booked no more": (at_laser(Reason.BOOKED_BY_OTHER, at(23)), "réservée", "booked"),
    "quota": (
        at_laser(Reason.QUOTA_EXHAUSTED),
        "vos 240 min de cette semaine sont utilisées ; à nouveau le lun. 30 nov.",
        "your 240 min of this week are used; again on Mon 30 Nov",
    ),
    "an event": (passage(Reason.EVENT, when=at(20)), "vous êtes attendu·e · Repair café", "expected · Repair café"),
    "an event that is gone": (passage(Reason.EVENT, when=at(12)), "vous êtes attendu·e", "you are expected"),
    "full": (passage(Reason.SITE_FULL), "nous sommes 100 : le lieu est plein", "we are 100: the place is full"),
    "a carnet that the bundle says is used": (
        passage(Reason.PASS_EXHAUSTED, "zoe"),
        "votre carnet est épuisé depuis le ven. 20 nov.",
        "your carnet is used up since Fri 20 Nov",
    ),
    "a carnet that the doors used up": (
        replace_fields(passage(Reason.PASS_EXHAUSTED, "zoe"), paid="2026-11-24am"),
        "votre carnet est épuisé depuis le mar. 24 nov.",
        "used up since Tue 24 Nov",
    ),
    "no carnet": (passage(Reason.PASS_EXHAUSTED, "remy"), "votre carnet est épuisé", "your carnet is used up"),
}


@pytest.fixture
def whole(place: Place) -> Place:
    """The place with a fablab."""
    with place.database.transaction() as session:
        import_bundle(session, whole_bundle(), DECIDED)
    place.publisher.publish()
    return place


def test_an_end_on_the_day_of_the_passage_needs_no_day_of_its_own_when_it_is_read_later(whole: Place) -> None:
    told = at_laser(Reason.WALK_UP, about=at(21))
    for now in (at(20), at(20) + DAY):
        with whole.app.test_request_context("/"):
            assert plain(words(told, whole.publisher.current, now, to_member=True).sentence) == "à vous, jusqu’à 21 h"


@pytest.mark.parametrize("name", LASER)
def test_what_is_known_of_machines_events_and_carnets(whole: Place, name: str) -> None:
    told, french, english = LASER[name]
    with whole.app.test_request_context("/"):
        assert french in said(whole, told)
    with whole.app.test_request_context("/?lang=en"):
        assert english in said(whole, told)


def test_more_than_two_people_are_counted(french: Place) -> None:
    bundle = whole_bundle()
    crowd = msgspec.structs.replace(bundle.machines[0], min_people=3)
    with french.database.transaction() as session:
        import_bundle(session, msgspec.structs.replace(bundle, machines=(crowd,), bookings=()), DECIDED)
    french.publisher.publish()
    assert said(french, at_laser(Reason.COMPANION_REQUIRED)).startswith("il faut être 3")


@pytest.mark.parametrize("reason", sorted(Reason))
def test_a_machine_that_is_gone_is_spoken_of_without_facts(french: Place, reason: Reason) -> None:
    assert "{" not in said(french, at_laser(reason))


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


def test_the_first_of_a_month_and_another_year(place: Place) -> None:
    first = at(12) + 189 * DAY
    for path, short, long in (
        ("/", "mar. 1er juin 2027", "Mardi 1er juin 2027"),
        ("/?lang=en", "Tue 1 Jun 2027", "Tuesday 1 June 2027"),
    ):
        with place.app.test_request_context(path):
            assert language.day(first).replace(NB, " ") == short
            assert language.long_day(first).replace(NB, " ") == long
            assert "2026" not in language.day(at(12))


def test_hours_from_and_to_stay_on_one_line(french: Place) -> None:
    assert language.hours(at(18), at(22)) == f"18{NB}h{NB}–\N{WORD JOINER}{NB}22{NB}h"


def test_no_line_begins_with_a_colon(place: Place) -> None:
    with place.app.test_request_context("/"):
        assert typeset("en panne : « oui » ; 42 min ?") == f"en panne{NB}: «{NB}oui{NB}»{NB}; 42{NB}min{NB}?"
        assert typeset("à 2 heures") == "à 2 heures"
        assert typeset("jusqu’au 30 nov.. Et...") == "jusqu’au 30 nov. Et..."
    with place.app.test_request_context("/?lang=en"):
        assert typeset("so: yes ?") == "so: yes ?"
        assert typeset("proposes a swap to Violette A..") == "proposes a swap to Violette A."


@pytest.mark.parametrize("path", ["/", "/today", "/login", "/nothing"])
def test_pages_hold_no_blank_where_a_line_must_not_break(place: Place, path: str) -> None:
    place.link_up = False
    shown = plain(place.staff().get(path).text.replace(NB, "_"))
    assert not re.findall(r"\S+ [:;?!»]", shown)
    assert "_: " in shown or path in ("/login", "/nothing")


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


def test_no_sentence_hides_in_a_formatted_string() -> None:
    """There the extraction does not find it, and English pages show it in French."""
    hidden = re.compile(r"""\bf["'].*\{[^}]*gettext\(["']""")
    server = catalogue.FOLDER.parents[2]
    sources = [(path, line) for path in server.rglob("*.py") for line in path.read_text("utf-8").splitlines()]
    assert len(sources) > len(sentences_of_french())
    assert [(path.name, line) for path, line in sources if hidden.search(line)] == []
    assert hidden.search("""f"{told}, {gettext('au %(day)s')}" """)


def sentences_of_french() -> list[str]:
    return [str(message.id) for message in catalogue.extracted() if message.id]


def test_no_name_stands_where_french_would_elide_the_word_before_it() -> None:
    """« de Odile » is no French, and « de Rémy » is: what may begin with a vowel stands after neither."""
    elided = re.compile(r"\b(?:de|que|ne|le|la|se|si) %\((?:name|who|member|person|guest|title)\)s", re.IGNORECASE)
    assert [one for one in sentences_of_french() if elided.search(one)] == []
    assert elided.search("C’est bien celui de %(name)s ?")


def test_what_is_sent_by_mail_has_one_name() -> None:
    """« courriel », never « e-mail »: on pages, in mails and in the guides."""
    guides = [path.read_text("utf-8") for path in (catalogue.HERE.parent / "docs" / "fr").rglob("*.md")]
    assert guides
    assert [one for one in (*sentences_of_french(), *guides) if re.search(r"e-?mail", one, re.IGNORECASE)] == []


def test_french_typography() -> None:
    """The apostrophe of French is ’, and a blank stands before : ; ! ?"""
    for _file, _line, message, _comments, _context in extract_from_dir(
        str(catalogue.HERE), catalogue.METHODS, keywords=catalogue.KEYWORDS
    ):
        for sentence in message if isinstance(message, tuple) else (message,):
            assert "'" not in sentence
            assert not [s for s in ":;!?" if f"{s} " in sentence and f" {s}" not in sentence], sentence


@pytest.mark.parametrize(
    ("french", "english", "never"),
    [
        (r"\bcarnets?\b", "carnet", r"\bpass(es)?\b"),
        (r"\bboîtiers?\b", "edge", r"\b(box(es)?|controllers?|Pi)\b"),
        (r"\bformules?\b(?! de tableur)", "tier", r"\bplans?\b"),
        (r"\bgardiens?\b", "gardien", r"\b(guards?|keepers?|wardens?)\b"),
        (r"\bgardes?\b", "shift", r"\b(watch|guard|duty)\b"),
        (r"\bcourriels?\b", "e-mail", r"(?<!e-)\b[Mm]ails?\b(?! server)"),
    ],
)
def test_english_has_one_word_for_one_thing(french: str, english: str, never: str) -> None:
    """That of docs/glossary.md."""
    said = [(str(one.id), str(one.string)) for one in catalogue.translated() if one.id]
    found = [words for id_, words in said if re.search(french, id_, re.IGNORECASE)]
    assert found, english
    assert [words for words in found if re.search(never, words, re.IGNORECASE)] == []


def test_a_sentence_is_said_in_the_language_of_whoever_asks_whoever_asked_before(place: Place) -> None:
    with place.app.test_request_context():
        said = []
        for which in ("fr", "en", "fr", "en"):
            with in_language(which):
                said.append((gettext("Pourquoi ?"), gettext("Réserver %(day)s, %(hours)s", day="9 :", hours="9 h")))
    assert said[0] == (f"Pourquoi{NB}?", f"Réserver 9{NB}:, 9{NB}h")
    assert said[1] == ("Why?", "Book 9 :, 9 h")
    assert said[2:] == said[:2]
