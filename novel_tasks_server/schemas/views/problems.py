"""What went wrong, as clients get to see it (RFC 9457)."""

from __future__ import annotations

from attrs import field, frozen

from novel_tasks_core import FaultCode

Values = dict[str, str | int | float]


@frozen(kw_only=True, slots=False)
class FaultView:
    """One thing wrong with a request: where, as a JSON pointer, and what would be right.

    The sentence in `detail` is for people; `code` names the rule that is broken, and does not change: null for one
    that only a processor knows. `values` are what the rule says, such as `limit`.
    """

    pointer: str
    detail: str
    code: FaultCode | None
    values: Values = field(metadata={"examples": [{"limit": 32767}]})


@frozen(kw_only=True, slots=False)
class ProblemView:
    """Why a request was refused, or could not be served.

    `type` names the kind of problem, and does not change; the sentence in `detail` is for people, and stands in
    `error` too. `errors` are all faults of the request, each with the JSON pointer of its place. Some kinds have
    further members. `request_id` names the request in the logs.
    """

    type: str
    title: str
    status: int
    detail: str
    error: str
    errors: list[FaultView]
    request_id: str
