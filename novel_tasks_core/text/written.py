"""The different words of a book, and how often each is written small: what is often written small is no name."""

from __future__ import annotations

from collections.abc import Mapping

_OFTEN = 100
_MOST_WORDS = 400_000


class WrittenWords:
    """Counts words in lower case up to about a hundred times each, so that memory is bounded by the vocabulary."""

    def __init__(self) -> None:
        self.small: dict[str, int] = {}
        self._complete = True

    @property
    def different(self) -> int | None:
        """How many different words there are; None when there were too many to keep."""
        return len(self.small) if self._complete else None

    def news(self, words: Mapping[str, int]) -> dict[str, int]:
        """Return what these words would add: how often each is written small, 0 for one that is new and is not."""
        found: dict[str, int] = {}
        known = self.small
        for word, count in words.items():
            if word.islower():
                if known.get(word, 0) < _OFTEN:
                    found[word] = found.get(word, 0) + count
            else:
                lowered = word.lower()
                if lowered not in known:
                    found.setdefault(lowered, 0)
        return found

    def add(self, news: Mapping[str, int]) -> None:
        """Add what `news` returned."""
        known = self.small
        for word, count in news.items():
            if word in known or len(known) < _MOST_WORDS:
                known[word] = known.get(word, 0) + count
            else:
                self._complete = False
