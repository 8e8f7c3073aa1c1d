"""The API as it describes itself: what is promised is what comes, whatever is asked (schemathesis)."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

from server.pages.api_document import described
from server.pages.api_operations import OPERATIONS, PREFIX, Operation, described_path
from server.roles import Scope
from server.web.access import routes
from tests.support_pages import TOKEN, Place
from tests.support_server import site_database, whole_bundle


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with closing(site_database(Path(tmp_path_factory.mktemp("api")), whole_bundle())) as database:
        place = Place(database)
        place.journal.enters(place.now - 60_000, "remy")
        place.tell()
        yield place


@pytest.mark.parametrize(
    ("one", "mode"),
    [(one, mode) for one in OPERATIONS for mode in GenerationMode if one.parameters or one.body or mode.is_positive],
)
def test_whatever_is_asked_what_comes_is_what_is_promised(one: Operation, mode: GenerationMode, whole: Place) -> None:
    """With what the description allows, and with what it does not."""
    left_out = [negative_data_rejection] if mode.is_negative else []  # it counts the token, which is always right here
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", whole.app)[one.path][one.method]

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=left_out)

    ask()


def test_what_is_promised_is_a_schema(place: Place) -> None:
    answer = place.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json == described()
    for schema in described()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_is_a_line_and_every_line_an_operation(place: Place) -> None:
    known = {(method, described_path(rule)) for method, rule in routes(place.app) if rule.startswith(PREFIX)}
    described_too = {("GET", f"{PREFIX}/openapi.json"), ("GET", f"{PREFIX}/docs")}
    assert known == {(one.method, PREFIX + one.path) for one in OPERATIONS} | described_too
    assert {one.scope for one in OPERATIONS} == set(Scope)


def test_people_read_the_same(place: Place) -> None:
    said = place.page("/api/v1/docs")
    assert all(f"{one.method} /api/v1{one.path} {one.said}" in said for one in OPERATIONS)
