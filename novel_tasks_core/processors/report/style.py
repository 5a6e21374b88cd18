"""How the report looks: its colours by day and by night, its type, and its form on paper."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fbf9f4",
        "card": "#f3efe6",
        "ink": "#25211b",
        "soft": "#635b4f",
        "line": "#ddd6c8",
        "link": "#7a3b1e",
        "tell": "#9a8a72",
        "talk": "#8a3f1f",
        "blue": "#2f5d74",
        "warn": "#fdf0d2",
        "edge": "#8a6410",
    }
)
"""The colours by day; `tell` and `talk` are narration and dialogue, `blue` is for people."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#1a1815",
        "card": "#24211d",
        "ink": "#ece6da",
        "soft": "#b3a998",
        "line": "#3d3830",
        "link": "#eaa57f",
        "tell": "#7d7161",
        "talk": "#e79a6e",
        "blue": "#86b7cf",
        "warn": "#332a14",
        "edge": "#d6aa4e",
    }
)
"""The same by night."""

PRINT: Mapping[str, str] = MappingProxyType({**LIGHT, "paper": "#ffffff", "card": "#ffffff", "ink": "#000000"})
"""The same on paper, which is white."""


def _variables(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


_FONTS = (
    '--serif:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua","Source Serif 4","Noto Serif",Georgia,serif;'
    '--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif'
)


@cache
def style() -> str:
    """Return the style sheet of the page: the colours, then the rules of style.css beside this module."""
    rules = files(__package__).joinpath("style.css").read_text(encoding="utf-8").replace("\n", "")
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}{_FONTS}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
        f"@media print{{:root{{color-scheme:light;{_variables(PRINT)}}}}}{rules}"
    )
