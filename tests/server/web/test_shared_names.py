"""What every template may use stays what it is: no page gives a name of server/app.py:_shared another meaning."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.app import _shared
from tests.support_pages import Place

pytestmark = pytest.mark.sqlite
PAGES = [
    *(path for room in ("pages", "web") for path in sorted((Path(__file__).parents[3] / "server" / room).glob("*.py")))
]


def given(tree: ast.AST) -> Iterator[str]:
    """The names that a module's pages hand to their templates: arguments, and what stands in a dict beside them."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _renders(node)]
        yield from (word.arg for call in calls for word in call.keywords if word.arg is not None)
        if any(word.arg is None for call in calls for word in call.keywords):
            dicts = [node for node in ast.walk(function) if isinstance(node, ast.Dict)]
            yield from (key.value for one in dicts for key in one.keys if _is_word(key))


def _renders(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "render_template"


def _is_word(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def test_a_name_that_hides_a_shared_one_is_found() -> None:
    page = "def one():\n    more = {'hour': 1}\n    return render_template('a.html', when=2, **more)\n"
    assert sorted(given(ast.parse(page))) == ["hour", "when"]


def test_no_page_hides_what_every_template_may_use(place: Place) -> None:
    with place.app.test_request_context("/"):
        place.app.preprocess_request()
        shared = set(_shared(place.app, place.context()))
    assert {"who", "when", "hours", "provider"} <= shared
    hidden = {path.name: found for path in PAGES if (found := shared & {*given(ast.parse(path.read_text("utf-8")))})}
    assert hidden == {}
