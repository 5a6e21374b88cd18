"""What the report says in English."""

from __future__ import annotations

from types import MappingProxyType

from novel_tasks_core.processors.report.words import Words

_LANGUAGES = {
    "en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "fi": "Finnish", "pl": "Polish",
    "cs": "Czech", "hu": "Hungarian", "ro": "Romanian", "tr": "Turkish", "la": "Latin", "ca": "Catalan",
    "vi": "Vietnamese", "id": "Indonesian", "ru": "Russian", "uk": "Ukrainian", "be": "Belarusian",
    "bg": "Bulgarian", "sr": "Serbian", "el": "Greek", "ar": "Arabic", "fa": "Persian", "he": "Hebrew",
    "th": "Thai", "hi": "Hindi", "ja": "Japanese", "ko": "Korean", "zh": "Chinese",
    "zh-Hans": "Chinese, simplified", "zh-Hant": "Chinese, traditional", "und": "not recognised",
}  # fmt: skip

ENGLISH = Words(
    lang="en",
    report="A reader’s report",
    untitled="Untitled",
    none="not available",
    comma=", ",
    navigation="Parts of this report",
    count_chapters=("{n} chapter", "{n} chapters"),
    count_parts=("{n} part", "{n} parts"),
    count_words=("{n} word", "{n} words"),
    count_characters=("{n} character", "{n} characters"),
    count_people=("{n} person", "{n} people"),
    count_scenes=("{n} scene", "{n} scenes"),
    count_bytes=("{n} damaged byte", "{n} damaged bytes"),
    about="about {value}",
    hours=("{n} hour", "{n} hours"),
    minutes=("{n} minute", "{n} minutes"),
    between=" ",
    short_hours="{h} h {m:02}",
    short_minutes="{m} min",
    under_a_minute="less than a minute",
    one_piece="One piece without chapters",
    in_parts="{chapters} in {parts}",
    lede="{extent}, {amount}.",
    lede_with_time="{extent}, {amount}: {time} to read.",
    spoken=" {share} of the text is dialogue.",
    figures="Key figures",
    length="Length",
    reading_time="Reading time",
    dialogue="Dialogue",
    sentences="Sentences",
    readability="Readability",
    richness="Vocabulary",
    people="People",
    chapters="Chapters",
    typically="half of them {low} to {high}",
    exactly="{n} characters",
    a_chapter="{time} a chapter",
    marked_by="of the text, marked by {marks}",
    of_a_sentence="typically of {n} words",
    of_each_thousand="different words in every 1,000",
    most_named="Named most",
    named_times="{n} times",
    bands=("very easy", "easy", "fairly easy", "plain", "fairly difficult", "difficult", "very difficult"),
    reading="How the text was read",
    encoding="Encoding",
    language="Language",
    headings="Chapters",
    damage="Damage",
    no_damage="none found",
    damage_at="{bytes}, the first at byte {offset} of the file",
    sure=("Sure ({share})", "Fairly sure ({share})", "Unsure ({share})", "Little more than a guess ({share})"),
    because=": ",
    encoding_sure=("{name}", "{name}, not certain ({share})"),
    warning="Please note",
    warn_chapters=(
        "The chapters may be wrong. All figures by chapter depend on them; those of the whole book hardly do."
        " A rule of your own for the headings (option chapter_rule) gives better ones."
    ),
    warn_damage=(
        "The file is damaged: {bytes} could not be read and stand as � in the text. A better copy may exist;"
        " the figures are hardly touched."
    ),
    warn_encoding="The encoding could not be told with certainty. If letters look wrong, name it (option encoding).",
    course="Over the book",
    lengths="Length of the chapters",
    lengths_note="The height of a bar is the length of a chapter in {unit}.",
    lengths_binned="Each bar is the mean of {n} that follow each other.",
    narration="narration",
    speech="dialogue",
    median="median",
    typical_chapter="A typical chapter has {middle}; half of them have between {low} and {high}.",
    bar="{name}: {amount}",
    range_of="{first} to {last}",
    dialogue_course="Dialogue through the text",
    dialogue_note="The share of the text that is spoken, stretch by stretch.",
    sentence_course="Pace: the length of sentences",
    sentence_note=(
        "Mean number of words in a sentence. Short sentences, and much dialogue above them, read fast; long ones take"
        " their time."
    ),
    readability_course="Readability of the chapters",
    readability_note="Each dot is a chapter, at its place in the text: the higher, the easier to read ({formula}).",
    whole_book="whole book: {value}",
    part_lines="Upright dotted lines, here and below: where the {parts} begin.",
    highest_at="Highest ({high}) around {place}, lowest ({low}) around {place2}.",
    data="The figures of this chart",
    position="Place in the text",
    see_contents="All figures are in the table of chapters.",
    extremes="Chapters that stand out",
    measure="Figure",
    highest="Highest",
    lowest="Lowest",
    in_chapters="in {n}",
    presence_note=(
        "A column for every chapter, higher the more often the name stands in it. Each strip has its own scale;"
        " the mentions tell who weighs how much."
    ),
    name="Name",
    mentions="Mentions",
    where="Where in the book",
    first="First in",
    last="Last in",
    present="{name}: named {mentions} times, in {chapters}; most often in {most}",
    more_people="{n} more are named less often: see analysis.json.",
    nobody="No name stands out often enough to be told for a person.",
    meetings="Who meets whom",
    meetings_note=(
        "A line joins two people who are present in the same scenes: the heavier, the more scenes. A dot is larger"
        " the more often somebody is named."
    ),
    most_together="Most often together: {first} and {second}, in {scenes}.",
    pair="Together",
    scenes="Scenes",
    contents="Table of chapters",
    title="Title",
    words="Words",
    characters="Characters",
    sentence_words="Words a sentence",
    more_rows="and {n} more in analysis.json",
    missing="– : not available.",
    notes="What the numbers mean",
    note_length="Title pages, licences and the like around the book are not counted.",
    note_characters=(
        "Characters without blanks, punctuation included. Title pages, licences and the like around the book are not"
        " counted."
    ),
    note_reading_words=(
        "At {n} words a minute, the mean speed of adults who read aloud in this language: International Reading Speed"
        " Texts (Trauzettel-Klosinski and Dietz, 2012). Silent readers are often faster."
    ),
    note_reading_characters=(
        "At {n} characters a minute, the mean speed of adults who read aloud in this language: International Reading"
        " Speed Texts (Trauzettel-Klosinski and Dietz, 2012). Silent readers are often faster."
    ),
    note_dialogue=(
        "Characters between the marks of speech of this book ({marks}), as a share of all characters. Quoted letters"
        " and thoughts count where they bear the same marks."
    ),
    note_words="Runs of letters and digits; the point of Mr. and the like ends no sentence.",
    note_sentences=(
        "For a chapter and for the book the median number of words in a sentence; in the chart of the pace the mean."
    ),
    note_segmented="Told apart by a dictionary, since this language sets no spaces between them; some wrongly.",
    note_readability=(
        "The formula is {formula}: the longer the sentences and the words, the lower the score. About 0 is hardest and"
        " 100 easiest. It knows nothing of sense or style."
    ),
    note_bands=(
        " In Flesch’s words 90 is very easy, 80 easy, 70 fairly easy, 60 plain, 50 fairly difficult, 30 difficult."
    ),
    note_richness=(
        "The mean number of different words in stretches of 1,000 (mean segmental type-token ratio, Johnson 1944);"
        " it does not fall with the length of a book."
    ),
    note_people=(
        "Names that speak, act or are addressed, with their other forms. Found by rules, so a place may pass for a"
        " person, or two people of one name for one."
    ),
    note_meetings="Two people meet in a scene when both are named in the same few paragraphs. Nobody need speak.",
    note_confidence=(
        "How sure the chapters are comes from their headings: their form, a count without gaps, space around them,"
        " agreement with the book’s own contents, even lengths."
    ),
    unavailable="Not available, and why",
    unknown_language="The language of the text was not recognised.",
    no_words="This language sets no spaces between words; length is given in characters.",
    no_reading="No reading speed has been published for this language.",
    no_dialogue="No way of marking speech that is usual in this language was found in the book.",
    no_sentences="Needs words and sentences that can be told apart in this language.",
    no_readability="No formula with a published source is known to us for this language.",
    short_readability="The text has fewer than 100 words.",
    no_richness="Needs words that can be told apart in this language.",
    short_richness="The text has fewer than 1,000 words.",
    no_people="Names cannot be told from other words in this language.",
    made_by="Made by Novel Tasks from its analysis.json, which holds every number. This page needs no network.",
    languages=MappingProxyType(_LANGUAGES),
    reasons=(),
)
"""English."""
