"""The OpenAPI 3.1 document: made of the operations and their classes, so that it says what the code does."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from novel_tasks_server.openapi.classes import Schema, class_schemas, reference
from novel_tasks_server.openapi.headers import REQUEST_HEADERS, RESPONSE_HEADERS
from novel_tasks_server.openapi.operation import Answer, Operation, Tag
from novel_tasks_server.schemas.views import ProblemView

_PATH_PARAMETERS: dict[str, Schema] = {
    "task_id": {
        "description": "The id of a task.",
        "schema": {"type": "string", "pattern": "^task-[0-9a-f]{32}$"},
    },
    "name": {"description": "The name of an artifact.", "schema": {"type": "string", "minLength": 1, "maxLength": 200}},
    "token_id": {"description": "The id of a token, not its secret.", "schema": {"type": "string", "format": "uuid"}},
    "processor": {"description": "The name of a processor.", "schema": {"type": "string", "minLength": 1}},
    "client_id": {"description": "Any name of the client's own.", "schema": {"type": "string", "minLength": 1}},
}
_ANY_PATH_PARAMETER: Schema = {"schema": {"type": "string", "minLength": 1}}

_TAGS = {
    Tag.TASKS: "Tasks, one by one and many at once.",
    Tag.UPLOADS: "Taking novels in.",
    Tag.HISTORY: "What happened to a task.",
    Tag.FILES: "What a task was made from, and what came of it.",
    Tag.LIVE: "Being told of changes.",
    Tag.QUEUE: "The queues of the processors, and who empties them.",
    Tag.TOKENS: "Who may use the service, and for what.",
    Tag.SERVICE: "The service itself.",
    Tag.PAGES: "Pages for people.",
}
_ALWAYS = (400, 415, 500, 503)
_WITH_SCOPE = (401, 403, 429)
_WITH_BODY = (408, 413, 422)
_CONDITIONS = {"If-Match": (412, 422), "Range": (416,)}

_ANSWERS = {
    101: "The connection becomes a WebSocket.",
    200: "Done.",
    201: "Made.",
    202: "Taken on; it will be done.",
    204: "There is nothing more to come.",
    206: "The part that was asked for.",
    304: "The client has it as it is.",
    400: "The request is malformed: it is not correct HTTP, or its body not what its media type says.",
    401: "A token is needed, or the one that was sent is not valid.",
    403: "The token does not allow this.",
    404: "There is no such thing, or it is somebody else's.",
    408: "The body came too slowly.",
    409: "As things stand this cannot be done.",
    412: "The task is not at the version that If-Match asks for.",
    413: "The body is too large.",
    415: "The body is of a kind, or in an encoding, that is not taken here.",
    416: "The file has no such part.",
    422: "The request can be read, but its values cannot be used; `errors` lists all that is wrong.",
    426: "This address speaks WebSocket only.",
    429: "Too many requests; the header says when to go on.",
    500: "Something went wrong on the server's side.",
    503: "It cannot be done just now; the header says when to try again.",
    507: "There is no space left to store the file.",
}
"""What each status means here."""


def build_document(operations: Sequence[Operation], *, title: str, version: str) -> dict[str, Any]:
    """Return the document of these operations. `title` and `version` are the deployment's own."""
    schemas = class_schemas(
        requests=[cls for o in operations for cls in (o.body, o.query) if cls],
        answers=[ProblemView, *(cls for o in operations for answer in o.answers.values() for cls in _members(answer))],
    )
    # queries and forms are described where they are used: only what they are made of is referred to
    inline = {cls.__name__ for o in operations for cls in (o.query, o.body if o.file else None) if cls}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "summary": "Takes novels in, processes each as a durable task, keeps the result.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": ".."}],
        "tags": [{"name": tag, "description": _TAGS[tag]} for tag in Tag if any(o.tag is tag for o in operations)],
        "paths": _paths(operations, schemas),
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in inline},
            "responses": _problem_responses(operations),
            "headers": {name: RESPONSE_HEADERS[name] for name in sorted(_sent(operations))},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token of this server, or a JWT."}
            },
        },
    }


def _members(answer: Answer) -> tuple[type, ...]:
    """Return the classes of an answer that have schemas of their own."""
    if answer is None or answer is object:
        return ()
    return typing.get_args(answer) or (typing.cast("type", answer),)


def _sent(operations: Iterable[Operation]) -> set[str]:
    return {"X-Request-ID", "Retry-After", *(name for operation in operations for name in operation.sends)}


def _paths(operations: Sequence[Operation], schemas: dict[str, Schema]) -> dict[str, Any]:
    by_name = {operation.name: operation for operation in operations}
    paths: dict[str, Any] = {}
    for operation in operations:
        described = _operation(operation, schemas, by_name)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return paths


def _operation(operation: Operation, schemas: dict[str, Schema], by_name: dict[str, Operation]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": [{"bearer": [operation.scope]}] if operation.scope else [],
        "parameters": list(_parameters(operation, schemas)),
        "responses": dict(_responses(operation, by_name)),
    }
    if operation.body is not None:
        described["requestBody"] = _request_body(operation, schemas)
    return {name: value for name, value in described.items() if value or name == "security"}


def _parameters(operation: Operation, schemas: dict[str, Schema]) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, **_PATH_PARAMETERS.get(name, _ANY_PATH_PARAMETER)}
    if operation.query is not None:
        yield from _query_parameters(schemas[operation.query.__name__])
    for name in operation.takes:
        yield {"name": name, "in": "header", "required": False, **REQUEST_HEADERS[name]}


def _query_parameters(schema: Schema) -> Iterator[Schema]:
    for name, field in _texts(schema).items():
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "allowEmptyValue": not required, "schema": field}


def _texts(schema: Schema) -> dict[str, Schema]:
    """Return the fields of a class as a query or a form has them: no text says null."""
    fields = {}
    for name, field in schema["properties"].items():
        default = {"default": field["default"]} if field.get("default") is not None else {}
        fields[name] = {**field.get("anyOf", [field])[0], **default}
    return fields


def _request_body(operation: Operation, schemas: dict[str, Schema]) -> Schema:
    assert operation.body is not None
    if operation.file is None:
        content = {"application/json": {"schema": reference(operation.body)}}
        return {"required": operation.needs_body, "content": content}
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "minLength": 1,
        "description": "The file, with its name.",
    }
    form = {
        **schemas[operation.body.__name__],
        "properties": {operation.file: file, **_form_fields(schemas[operation.body.__name__])},
        "required": [operation.file],
    }
    encoding = {operation.file: {"headers": {"Content-Disposition": _disposition(operation.file)}}}
    return {"required": True, "content": {"multipart/form-data": {"schema": form, "encoding": encoding}}}


def _form_fields(schema: Schema) -> dict[str, Schema]:
    """Return the fields of a form: browsers send those that were not filled in as empty texts."""
    fields = _texts(schema)
    return {
        name: field if field.keys() & {"maxLength"} else {"anyOf": [field, {"const": ""}]}
        for name, field in fields.items()
    }


def _disposition(field: str) -> Schema:
    return {
        "description": "The extension of the file name must be one of those that the settings allow.",
        "schema": {"type": "string"},
        "example": f'form-data; name="{field}"; filename="novel.txt"',
    }


def _responses(operation: Operation, by_name: dict[str, Operation]) -> Iterator[tuple[str, Schema]]:
    answers = operation.answers or {200: None}
    for status, answer in answers.items():
        yield str(status), _answer(operation, status, answer, by_name)
    for status in sorted(set(_problems(operation)) - set(answers)):
        yield str(status), {"$ref": f"#/components/responses/{_problem_name(status)}"}


def _answer(operation: Operation, status: int, answer: Answer, by_name: dict[str, Operation]) -> Schema:
    described: Schema = {"description": _meaning(status), "headers": _headers(operation, status)}
    if answer is not None:
        refs = [reference(cls) for cls in _members(answer)]
        schema = {} if not refs else refs[0] if len(refs) == 1 else {"anyOf": refs}
        described["content"] = {"application/json": {"schema": schema}}
    if status in (200, 206) and operation.media_types:
        described.setdefault("content", {}).update({media_type: {} for media_type in operation.media_types})
    links = {name: _link(by_name[name], place) for name, place in operation.leads_to.items() if status < 300}
    return {**described, "links": links} if links else described


def _meaning(status: int) -> str:
    return _ANSWERS.get(status) or HTTPStatus(status).phrase


def _headers(operation: Operation, status: int) -> Schema:
    names = ("X-Request-ID", *(operation.sends if status < 400 else ()))
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _link(target: Operation, place: str) -> Schema:
    return {"operationId": target.name, "parameters": {"task_id": place}}


def _problems(operation: Operation) -> Iterator[int]:
    """Yield the statuses of refusals: what follows from the operation, and what it names."""
    yield from _ALWAYS
    yield from operation.problems
    if operation.scope is not None:
        yield from _WITH_SCOPE
    if "{" in operation.path:
        yield 404
    if operation.body is not None:
        yield from _WITH_BODY
    if operation.query is not None:
        yield 422
    for name in operation.takes:
        yield from _CONDITIONS.get(name, ())


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem_responses(operations: Iterable[Operation]) -> dict[str, Schema]:
    statuses = sorted({status for operation in operations for status in _problems(operation)})
    return {_problem_name(status): _problem_response(status) for status in statuses}


def _problem_response(status: int) -> Schema:
    names = ["X-Request-ID", *(["Retry-After"] if status in (429, 503) else [])]
    return {
        "description": _meaning(status),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {"application/problem+json": {"schema": reference(ProblemView)}},
    }
