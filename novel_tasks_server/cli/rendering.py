"""Results as stdout shows them: a short table for people, the chapter list for `--json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from novel_tasks_server.cli.console import printable

_CHAPTER_FIELDS = ("title", "kind", "level", "offset", "line")


def chapter_facts(chapters_json: Path) -> dict[str, Any]:
    """Read what `split` stored about a file, down to the fields that the command promises."""
    stored = json.loads(chapters_json.read_bytes())
    return {
        "encoding": stored["encoding"],
        "language": stored["language"],
        "confidence": stored["confidence"],
        "chapters": [{name: chapter[name] for name in _CHAPTER_FIELDS} for chapter in stored["sections"]],
    }


def render_result(name: str, result: Any, artifacts: Mapping[str, Path]) -> str:
    """Show a result to a person: its plain values, how many entries its lists have, and where the artifacts are."""
    rows = (
        [(str(key), _summary(value)) for key, value in result.items()]
        if isinstance(result, Mapping)
        else [("result", _summary(result))]
    )
    rows += [(key, str(path)) for key, path in artifacts.items()]
    width = max((len(key) for key, _ in rows), default=0)
    lines = [printable(name), *(f"  {printable(key):<{width}}  {printable(value)}" for key, value in rows)]
    return "\n".join(lines)


def headline(result: Any) -> str:
    """Return the two facts of a result that fit into a line: its chapters, and how long it is; "" without any."""
    facts = result if isinstance(result, Mapping) else {}
    size = next((name for name in ("words", "characters") if _is_count(facts.get(name))), None)
    named = [name for name in ("chapters", size) if name is not None and _is_count(facts.get(name))]
    return ", ".join(f"{facts[name]:,} {name if facts[name] != 1 else name[:-1]}" for name in named)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _summary(value: Any) -> str:
    match value:
        case None:
            return "not available"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case list() if value and not all(isinstance(item, str | int | float) for item in value):
            return f"{len(value)} entries"
        case list():
            return ", ".join(map(str, value)) or "none"
        case Mapping():
            return ", ".join(f"{key} {_summary(item)}" for key, item in value.items()) or "none"
        case _:
            return str(value)
