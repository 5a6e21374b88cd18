"""The beginning of one tale in many languages, for tests of encodings and languages."""

from __future__ import annotations

import re
from pathlib import Path

_FILE = Path(__file__).parents[2] / "data" / "tales.txt"
_HEADED = re.compile(r"^\[(.+)]\n((?:[^\[\n].*\n)+)", re.MULTILINE)

TALES: dict[str, str] = dict(_HEADED.findall(_FILE.read_text("utf-8")))
"""The same four lines in every language, by its tag."""
