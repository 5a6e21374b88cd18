"""A processor with options that were checked once, kept for whoever asks for the same again."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from novel_tasks_core.processors.base import Processor

MAX_CONFIGURATIONS = 256
"""How many configurations are kept; the one that was asked for longest ago goes first."""

_LONGEST_KEY = 4096


@frozen(kw_only=True)
class Configuration:
    """What it takes to run a processor, and nothing left to check. `text` is the options as canonical JSON."""

    processor: Processor
    text: str

    @property
    def options(self) -> dict[str, Any]:
        """The options, defaults filled in: the caller's own copy."""
        options: dict[str, Any] = json.loads(self.text)
        return options


@frozen(kw_only=True)
class CacheCounts:
    """How a cache has done: questions answered from it, questions that had to be worked out, entries now."""

    hits: int
    misses: int
    entries: int


class Configurations:
    """Remembers configurations by processor and options, at most `MAX_CONFIGURATIONS`.

    Only options that JSON gives back as they are can be remembered, and only short ones.
    """

    def __init__(self, make: Callable[[str, Mapping[str, Any] | None], Configuration]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[str, str], Configuration] = OrderedDict()
        self._hits = self._misses = 0

    def get(self, name: str, options: Mapping[str, Any] | None) -> Configuration:
        """Return the configuration, made now unless it is known. Raises: what making it does."""
        key = _key(name, options)
        if key is not None and key in self._kept:
            self._hits += 1
            self._kept.move_to_end(key)
            return self._kept[key]
        self._misses += 1
        made = self._make(name, options)
        if key is not None:
            self._kept[key] = made
            if len(self._kept) > MAX_CONFIGURATIONS:
                self._kept.popitem(last=False)
        return made

    def counts(self) -> CacheCounts:
        """Return how the cache has done so far."""
        return CacheCounts(hits=self._hits, misses=self._misses, entries=len(self._kept))


def _key(name: str, options: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return what equal questions share; None for options that would not come back from JSON as they are."""
    if not options:
        return (name, "{}") if options is None or options == {} else None
    try:
        text = json.dumps(options, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(text) > _LONGEST_KEY or json.loads(text) != options:
        return None
    return name, text
