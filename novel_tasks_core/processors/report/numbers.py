"""Numbers in the form of the page's language: exact ones, rounded ones, shares and lengths of time."""

from __future__ import annotations

from novel_tasks_core.processors.report.words import Words

_WAN = 10_000


def exact(value: float) -> str:
    """Return a whole number with its thousands set apart."""
    return f"{round(value):,}"


def rough(value: float, words: Words) -> str:
    """Return a number in three figures: 566,000; in Chinese 56.6万."""
    rounded = _three_figures(round(value))
    if words.lang.startswith("zh") and rounded >= _WAN:
        return f"{rounded / _WAN:,.3g}万" if rounded < 1000 * _WAN else f"{rounded // _WAN:,}万"
    return f"{rounded:,}"


def _three_figures(value: int) -> int:
    unit: int = 10 ** max(0, len(str(abs(value))) - 3)
    return round(value / unit) * unit


def share(value: float) -> str:
    """Return a share of 0..1 in hundredths."""
    return f"{value:.0%}"


def decimal(value: float) -> str:
    """Return a number with one decimal, or none where it is 0."""
    return f"{value:.1f}".removesuffix(".0")


def counted(forms: tuple[str, str], value: float, shown: str) -> str:
    """Return a number with what it counts: the first form is for one, the second for any other."""
    return forms[0 if value == 1 else 1].format(n=shown)


def duration(minutes: float, words: Words) -> str:
    """Return a length of time in words, as rough as its size allows: about 9 hours 20 minutes."""
    if minutes < 1:
        return words.under_a_minute
    step = 1 if minutes < 60 else 10 if minutes < 20 * 60 else 60
    hours, rest = divmod(round(minutes / step) * step, 60)
    parts = [counted(words.hours, hours, f"{hours:,}")] if hours else []
    if rest or not parts:
        parts.append(counted(words.minutes, rest, str(rest)))
    return words.about.format(value=words.between.join(parts))


def clock(minutes: float, words: Words) -> str:
    """Return a length of time for a table: 1 h 05."""
    hours, rest = divmod(round(minutes), 60)
    return words.short_hours.format(h=f"{hours:,}", m=rest) if hours else words.short_minutes.format(m=rest)
