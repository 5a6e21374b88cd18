"""Texts in every plausible encoding, whole and damaged, come out as they were."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.harness.damage import Variant, variants
from novel_tasks_core.text.decoding import decode
from tests.core.text.tales import TALES

CORPUS = Path(os.environ.get("NOVEL_TASKS_CORPUS", "../shared/corpus"))


def wrong(variant: Variant) -> str | None:
    """Say what came out instead, if a variant is not read rightly."""
    decoded = decode(variant.data)
    if variant.is_right(decoded.text):
        return None
    return f"{variant.encoding}, {variant.name}: read as {decoded.encoding}"


@pytest.mark.parametrize("language", TALES)
def test_every_encoding_of_a_language_is_read_whole_and_damaged(language: str) -> None:
    """Bad, lost and inserted bytes, cut tails and mixed newlines cost the line they are in, and nothing else."""
    assert [told for variant in variants(TALES[language] * 4, language) if (told := wrong(variant))] == []


@pytest.mark.corpus
@pytest.mark.timeout(900)
@pytest.mark.slow
def test_novels_are_read_in_every_encoding_whole_and_damaged() -> None:
    """Of a passage of each novel of the corpus, 99 variants of 100 come out: a few words may fit two encodings."""
    told: list[str] = []
    tried = 0
    for entry in json.loads((CORPUS / "manifest.json").read_text("utf-8"))["files"]:
        text = (CORPUS / entry["name"]).read_bytes().decode(entry["encoding"])
        for variant in variants(text[len(text) // 2 :][:2_000], entry["language"]):
            tried += 1
            if found := wrong(variant):
                told.append(f"{entry['name']}: {found}")
    assert len(told) <= tried // 100, told


def test_a_variant_is_judged_by_its_intact_lines() -> None:
    """A decoder that garbles a line beyond the damaged one, or loses one, does not pass."""
    damaged = next(one for one in variants(TALES["zh-Hans"] * 8, "zh-Hans") if one.name == "five bytes FF")
    right = decode(damaged.data).text
    lines = right.split("\n")

    assert damaged.damaged
    assert damaged.is_right(right)
    assert not damaged.is_right("\n".join(lines[:-2]))
    for number in (0, 10, len(lines) - 2):
        garbled = "\n".join([*lines[:number], lines[number][:-2] + "??", *lines[number + 1 :]])
        assert damaged.is_right(garbled) == ("\ufffd" in lines[number])
