"""Where do French sentences become English ones? Flask-Babel, behind types. The French sentence is the key.

After a change of a sentence: `python -m server.text.catalogue` brings translations/en up to date and names what is
missing.
"""

import re
from contextlib import AbstractContextManager
from functools import lru_cache

import flask_babel
from flask import Flask

GLUED = re.compile(r" (?=[:;?!»])|(?<=«) |(?<=\d) (?=(?:min|h|s|%|€|×)(?!\w))")
"""Blanks of French where no line may break: before : ; ? ! and a unit, inside « »."""

DOUBLED = re.compile(r"(?<!\.)\.\.(?!\.)")
"""Of a sentence that ends with a shortened month or name: 30 nov.., Violette A.."""


def N_(text: str) -> str:  # noqa: N802 - the name by which translators' tools find it
    """Mark a sentence for translation."""
    return text


def gettext(text: str, **values: object) -> str:
    """The sentence in the language of the request, with its %(named)s values."""
    said = _sentence(language(), text)
    return typeset(said % values if values else said)


@lru_cache(maxsize=1 << 13)
def _sentence(_language: str, text: str) -> str:
    """In this language, which is that of the request. A long list asks for one five hundred times."""
    return str(flask_babel.gettext(text))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The sentence for one or for many; num is a value of it, too. In French none is one."""
    if language() == "fr":
        return typeset((one if num < 2 else many) % ({"num": num} | values))
    return typeset(str(flask_babel.ngettext(one, many, num, **values)))


def typeset(text: str) -> str:
    """One full stop, not two; French with its no-break spaces, so that no line begins with a colon."""
    return _typeset(language(), text)


@lru_cache(maxsize=1 << 13)
def _typeset(language: str, text: str) -> str:
    text = DOUBLED.sub(".", text)
    return GLUED.sub("\N{NO-BREAK SPACE}", text) if language == "fr" else text


def language() -> str:
    """fr or en."""
    locale = flask_babel.get_locale()
    return str(locale.language) if locale is not None else "fr"


def in_french() -> AbstractContextManager[None]:
    """For what is written to somebody who is not the one who asks."""
    return in_language("fr")


def in_language(which: str) -> AbstractContextManager[None]:
    """For what is said in more than one at once."""
    return flask_babel.force_locale(which)  # type: ignore[no-any-return]


def speak(app: Flask, choose: object) -> None:
    """Let an application's pages speak the language that `choose` names for each request."""
    flask_babel.Babel(app, default_locale="fr", locale_selector=choose)
    app.jinja_env.globals.update(_=gettext, gettext=gettext, ngettext=ngettext)
