"""How is the API described? /api/v1/openapi.json (OpenAPI 3.1) for programs, /api/v1/docs for people: one table."""

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from console.version import version
from server.pages import api_answers as answers
from server.pages.api import OPERATIONS, Operation

page = Blueprint("api_document", __name__, url_prefix="/api/v1")

REFUSALS = {
    "400": "A parameter is none.",
    "401": "A token or a login is needed, or this token is not valid.",
    "403": "This token or login is not good for this.",
}


@page.get("/openapi.json")
def document() -> ResponseReturnValue:
    return jsonify(described())


@page.get("/docs", endpoint="page")
def show() -> ResponseReturnValue:
    return render_template("api.html", operations=OPERATIONS, schemas=_schemas())


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loquet", "version": version(), "description": "Is it open, and who came? Instants are UTC."},
        "servers": [{"url": "/api/v1"}],
        "paths": {one.path: {"get": _operation(one)} for one in OPERATIONS},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens"}},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    asked = [
        {"name": p.name, "in": "query", "required": False, "schema": p.schema, "description": p.said}
        for p in one.parameters
    ]
    return {
        "operationId": one.path.strip("/"),
        "summary": one.said,
        "description": f"Scope of the token: {one.scope.value}." + (" Without one less is told." if one.public else ""),
        "parameters": asked,
        "security": [*([{}] if one.public else []), {"token": []}],
        "responses": {
            "200": {
                "description": (one.answer.__doc__ or "").strip(),
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.answer.__name__}"}}},
            },
            **{code: {"description": said, "content": problem} for code, said in REFUSALS.items()},
        },
    }


def _schemas() -> dict[str, Any]:
    types = (*(one.answer for one in OPERATIONS), answers.Problem)
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return dict(schemas)
