"""How is the API described? /api/v1/openapi.json (OpenAPI 3.1) for programs, /api/v1/docs for people: one table."""

import re
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from console.version import version
from server.pages import api_answers as answers
from server.pages.api_operations import OPERATIONS, PREFIX, Operation

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
        "info": {
            "title": "Loquet",
            "version": version(),
            "description": "Is it open, who came, and which machine is free? Instants are UTC.",
        },
        "servers": [{"url": PREFIX}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens"}},
        },
    }


def _paths() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        found.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return found


def _operation(one: Operation) -> dict[str, Any]:
    asked = [
        {"name": p.name, "in": "query", "required": False, "schema": p.schema, "description": p.said}
        for p in one.parameters
    ]
    asked += [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    said = {
        "operationId": one.path.strip("/") if one.method == "GET" else f"{one.method.lower()} {one.path.strip('/')}",
        "summary": one.said,
        "description": f"Scope of the token: {one.scope.value}." + (" Without one less is told." if one.public else ""),
        "parameters": asked,
        "security": [*([{}] if one.public else []), {"token": []}],
        "responses": {
            str(one.status): _answer(one.answer),
            **{code: _answer(answers.Problem, said) for code, said in REFUSALS.items()},
            **{str(code): _answer(kind, said) for code, kind, said in one.refusals},
        },
    }
    if one.body is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(one.body)}}}
    return said


def _answer(kind: type[msgspec.Struct] | None, said: str = "") -> dict[str, Any]:
    if kind is None:
        return {"description": "Done."}
    media = "application/problem+json" if kind is answers.Problem else "application/json"
    return {"description": said or (kind.__doc__ or "").strip(), "content": {media: {"schema": _reference(kind)}}}


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _schemas() -> dict[str, Any]:
    used = [kind for one in OPERATIONS for kind in (one.answer, one.body, *(kind for _, kind, _ in one.refusals))]
    types = (*dict.fromkeys(kind for kind in used if kind is not None), answers.Problem)
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    alternatives = [{"required": [name]} for name in answers.MACHINE_OR_KIND]
    return dict(schemas) | {"Wish": schemas["Wish"] | {"oneOf": alternatives}}
