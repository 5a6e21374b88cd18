"""The words of the report, the same in every language it speaks. What stands in braces is filled in."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

Forms = tuple[str, str]
"""What is counted: the form for one, and the form for any other number."""


@frozen(kw_only=True)
class Words:
    """All that the report says in one language; its other words come from the analysis."""

    lang: str
    report: str
    untitled: str
    none: str
    comma: str
    navigation: str

    # Numbers.
    count_chapters: Forms
    count_parts: Forms
    count_words: Forms
    count_characters: Forms
    count_people: Forms
    count_scenes: Forms
    count_bytes: Forms
    about: str
    hours: Forms
    minutes: Forms
    between: str
    short_hours: str
    short_minutes: str
    under_a_minute: str

    # The head.
    one_piece: str
    in_parts: str
    lede: str
    lede_with_time: str
    spoken: str

    # The figures.
    figures: str
    length: str
    reading_time: str
    dialogue: str
    sentences: str
    readability: str
    richness: str
    people: str
    chapters: str
    typically: str
    exactly: str
    a_chapter: str
    marked_by: str
    of_a_sentence: str
    of_each_thousand: str
    most_named: str
    named_times: str
    bands: tuple[str, ...]

    # How the text was read.
    reading: str
    encoding: str
    language: str
    headings: str
    damage: str
    no_damage: str
    damage_at: str
    sure: tuple[str, str, str, str]
    because: str
    encoding_sure: Forms
    warning: str
    warn_chapters: str
    warn_damage: str
    warn_encoding: str

    # The charts.
    course: str
    lengths: str
    lengths_note: str
    lengths_binned: str
    narration: str
    speech: str
    median: str
    typical_chapter: str
    bar: str
    range_of: str
    dialogue_course: str
    dialogue_note: str
    sentence_course: str
    sentence_note: str
    readability_course: str
    readability_note: str
    whole_book: str
    part_lines: str
    highest_at: str
    data: str
    position: str
    see_contents: str

    # The chapters that stand out.
    extremes: str
    measure: str
    highest: str
    lowest: str
    in_chapters: str

    # People.
    presence_note: str
    name: str
    mentions: str
    where: str
    first: str
    last: str
    present: str
    more_people: str
    nobody: str
    meetings: str
    meetings_note: str
    most_together: str
    pair: str
    scenes: str

    # The contents.
    contents: str
    title: str
    words: str
    characters: str
    sentence_words: str
    more_rows: str
    missing: str

    # The notes.
    notes: str
    note_length: str
    note_characters: str
    note_reading_words: str
    note_reading_characters: str
    note_dialogue: str
    note_words: str
    note_sentences: str
    note_segmented: str
    note_readability: str
    note_bands: str
    note_richness: str
    note_people: str
    note_meetings: str
    note_confidence: str
    unavailable: str
    unknown_language: str
    no_words: str
    no_reading: str
    no_dialogue: str
    no_sentences: str
    no_readability: str
    short_readability: str
    no_richness: str
    short_richness: str
    no_people: str
    made_by: str

    languages: Mapping[str, str]
    reasons: tuple[tuple[str, str], ...]
    """Patterns of the splitter's reasons, which are English, and what to say instead."""
