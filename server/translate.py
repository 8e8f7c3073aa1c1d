"""Where do French sentences become English ones? Flask-Babel, behind types. The French sentence is the key."""

import flask_babel  # type: ignore[import-untyped]


def gettext(text: str, **values: object) -> str:
    """The sentence in the language of the request, with its %(named)s values."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The sentence for one or for many; num is a value of it, too."""
    return str(flask_babel.ngettext(one, many, num, **values))


def language() -> str:
    """fr or en."""
    locale = flask_babel.get_locale()
    return str(locale.language) if locale is not None else "fr"


Babel = flask_babel.Babel
