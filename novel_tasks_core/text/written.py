"""The different words of a book, and how often each is written small: what is often written small is no name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_OFTEN = 100
_MOST_WORDS = 400_000


class WrittenWords:
    """Counts words in lower case up to about a hundred times each, so that memory is bounded by the vocabulary."""

    def __init__(self) -> None:
        self.small: dict[str, int] = {}
        self._complete = True
        self._enough: set[str] = set()

    @property
    def different(self) -> int | None:
        """How many different words there are; None when there were too many to keep."""
        return len(self.small) if self._complete else None

    def news(self, words: Mapping[str, int]) -> list[tuple[int, str]]:
        """Return what these words would add, in few strings: words by how often each is written small.

        Those that are new and not written small are under 0.
        """
        enough, known = self._enough, self.small
        added: dict[int, list[str]] = {}
        for word in [word for word in words if word not in enough]:
            if word.islower():
                added.setdefault(words[word], []).append(word)
            else:
                lowered = word.lower()
                if lowered not in known and lowered not in words:
                    added.setdefault(0, []).append(lowered)
        return [(count, " ".join(found)) for count, found in added.items()]

    def add(self, news: Iterable[tuple[int, str]]) -> None:
        """Add what `news` returned."""
        known = self.small
        for count, words in news:
            for word in words.split(" "):
                if word not in known and len(known) >= _MOST_WORDS:
                    self._complete = False
                    continue
                known[word] = known.get(word, 0) + count
                if known[word] >= _OFTEN:
                    self._enough.add(word)
