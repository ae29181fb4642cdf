"""The API's description: FastAPI's own, with what it cannot know of by itself: problems, examples, stable names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from webhook_api.examples import EXAMPLES
from webhook_api.problems import MEDIA_TYPE

Json = dict[str, Any]
ABOUT = "Joins a web shop with its ERPs: connections, bulk syncs, logs, errors and their owners, and the shop's own records."
PROBLEM: Json = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `detail` is for people; nothing of what was sent is echoed.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "requestId": {"type": ["string", "null"]},
        "field": {"type": "string", "description": "the part that cannot be right"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "cause": {"type": "string", "description": "an entry of the catalogue of errors"},
        "owner": {"type": "string"},
        "retriable": {"type": "boolean", "description": "a repeat may help without any change"},
        "inDoubt": {"type": "boolean", "description": "a write may have reached the ERP unheard"},
        "help": {"type": "string", "description": "where the cause is explained"},
    },
}
REQUEST_ID: Json = {"description": "Also in every log line of the request.", "schema": {"type": "string"}}
# What may be answered besides: to all, to those with a token, to those that name something, to writes, to the open ones.
ALWAYS = {
    "500": "Something unforeseen; it was logged under the request id.",
    "503": "The database does not answer now.",
}
SECURED = {"401": "No token, or one that cannot be believed.", "403": "A good token whose role does not allow this."}
NAMING = {"404": "The tenant has nothing of that name.", "422": "Something that was sent cannot be right."}
WRITING = {"400": "The provider refused a consent or a body that cannot be read.", "409": "The state forbids it.",
           "413": "Too large.", "502": "The ERP did not answer."}  # fmt: skip
OPEN = {"429": "Too many requests a minute; see Retry-After."}
CALLBACK = "/api/integrations/quickbooks/callback"


def unique_id(route: APIRoute) -> str:
    """Names for generated clients: the part of the API, and the function."""
    return f"{route.tags[0]}_{route.name}".replace(" ", "_") if route.tags else route.name


def describe(app: FastAPI) -> None:
    """Make the app serve the whole description, built once."""

    def description() -> Json:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def _completed(made: Json) -> Json:
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    made["components"]["headers"] = {"X-Request-ID": REQUEST_ID}
    for path, method, operation in operations(made):
        operation["responses"] |= {
            status: _problem(words, for_people=path == CALLBACK)
            for status, words in _problems(path, method, operation).items()
        }
        for response in operation["responses"].values():
            response.setdefault("headers", {})["X-Request-ID"] = {"$ref": "#/components/headers/X-Request-ID"}
    for name, schema in schemas.items():
        if example := _example(name):
            schema["examples"] = [example]
    return made


def operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation of a description, with its path and method."""
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _problems(path: str, method: str, operation: Json) -> dict[str, str]:
    found = dict(ALWAYS)
    found |= SECURED if operation.get("security") else OPEN
    if operation.get("parameters") or "requestBody" in operation:
        found |= NAMING
    if method != "get" or path == CALLBACK:
        found |= WRITING
    if path == "/api/integrations/quickbooks/webhook":
        found |= {"401": "The signature is missing or not the provider's."}
    return found


def _problem(words: str, *, for_people: bool) -> Json:
    """`for_people`: a browser comes there, and gets a page."""
    content: Json = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "content": content | ({"text/html": {}} if for_people else {})}


def _example(name: str) -> Any:
    """Of a page, one with a single item."""
    if name.startswith("Page_"):
        item = EXAMPLES.get(name.removeprefix("Page_").rstrip("_"))
        return {"items": [item], "nextCursor": None} if item else None
    return EXAMPLES.get(name)
