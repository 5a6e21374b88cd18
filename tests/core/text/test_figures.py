"""What is counted of a text: words, sentences, speech, ease, people; and what is honestly not."""

from __future__ import annotations

from collections import Counter

import pytest

from novel_tasks_core import read_novel
from novel_tasks_core.text.dialogue import dialogue_characters, dialogue_style
from novel_tasks_core.text.measures import BookMeasures, Measuring
from novel_tasks_core.text.people import find_names, find_people, knows_names
from novel_tasks_core.text.readability import readability, reading_minutes
from novel_tasks_core.text.tokens import WordCounter, count_characters, count_sentences, find_words

SPEECH = {
    ("en", "“”"): "“Come in,” he said. “It is cold.” She came in.\n\n",
    ("en", '""'): '"Come in," he said. "It is cold." She came in.\n\n',
    ("en", "''"): "'Come in, don't stand there,' he said. She came in from the dogs' yard.\n\n",
    ("fr", "«»"): "« Entrez », dit-il. « Il fait froid. » Elle entra.\n\n",
    ("de", "»«"): "»Kommen Sie herein«, sagte er. »Es ist kalt.« Sie trat ein.\n\n",
    ("de", "„“"): "„Kommen Sie herein“, sagte er. „Es ist kalt.“ Sie trat ein.\n\n",
    ("es", "—"): "—Entre —dijo él—. Hace frío.\n\nElla entró en la casa.\n\n",
    ("ru", "—"): "— Входите, — сказал он. — Холодно.\n\nОна вошла в дом.\n\n",
    ("zh-Hans", "“”"): "老人说：“请进来。”少年走了进去。\n",
    ("zh-Hant", "「」"): "老人說：「請進來。」少年走了進去。\n",
    ("ja", "「」"): "「お入り」と老人は言った。少年は中へ入った。\n",
}
SPOKEN = {
    ("en", "“”"): "Come in, It is cold.",
    ("en", '""'): "Come in, It is cold.",
    ("en", "''"): "Come in, don't stand there,",
    ("fr", "«»"): "Entrez Il fait froid.",
    ("de", "»«"): "Kommen Sie herein Es ist kalt.",
    ("de", "„“"): "Kommen Sie herein Es ist kalt.",
    ("es", "—"): "Entre . Hace frío.",
    ("ru", "—"): "Входите, Холодно.",
    ("zh-Hans", "“”"): "请进来。",
    ("zh-Hant", "「」"): "請進來。",
    ("ja", "「」"): "お入り",
}


@pytest.mark.parametrize("case", SPEECH)
def test_speech_is_told_from_narration(case: tuple[str, str]) -> None:
    """Every language's own marks are found, and only what lies between them counts."""
    language, marks = case
    text = SPEECH[case] * 10

    style = dialogue_style(text, language)

    assert style is not None
    assert style.marks == marks
    assert dialogue_characters(text, style) == 10 * count_characters(SPOKEN[case])


def test_a_speech_of_several_paragraphs_counts_whole() -> None:
    """Each paragraph opens with a mark and only the last one closes."""
    text = "“One two.\n\n“Three four.”\n\nFive six.\n\n" * 5
    style = dialogue_style(text, "en")

    assert style is not None
    assert dialogue_characters(text, style) == 5 * count_characters("One two. Three four.")


@pytest.mark.parametrize(
    ("text", "language"), [("He came. She went. " * 50, "en"), ("« Oui. » " * 50, "th"), ("", "en")]
)
def test_speech_without_known_marks_is_not_available(text: str, language: str) -> None:
    """A book or a language whose way of marking speech is unknown has no share of it."""
    assert dialogue_style(text, language) is None


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Mr. Hyde came. Who? “I!” he cried. It was 5.30 by St. Mary's…", "en", 5),
        ("Herr Dr. Faust kam am 3. Mai. Er ging.", "de", 2),
        ("他来了。谁？“我！”他说。", "zh-Hans", 4),
        ("来た。「誰だ？」と言った。", "ja", 3),
    ],
)
def test_sentences_are_counted_by_their_end_marks(text: str, language: str, count: int) -> None:
    """Abbreviations do not end a sentence."""
    assert count_sentences(text, language) == count


def test_words_of_spaced_scripts() -> None:
    """Hyphens and apostrophes join; digits are no words."""
    assert find_words("Don't well-worn d’Artagnan 42 ЁЖ naïve") == ["Don't", "well-worn", "d’Artagnan", "ЁЖ", "naïve"]


def test_words_are_counted_with_their_richness() -> None:
    """The counter finds the same words, and the share of different ones in stretches of a thousand."""
    counter = WordCounter()

    found = counter.count("Yes—no, yes; well-worn! " * 3)
    assert found.counts == {"Yes": 3, "no": 3, "yes": 3, "well-worn": 3}
    assert (found.total, found.richness) == (12, None)
    assert counter.count("A, b. " * 500).richness == 0.002


def test_readability_needs_a_published_formula() -> None:
    """English is scored by Flesch; a language without a formula is not scored at all."""
    easy = Counter(find_words("the cat sat on the mat and the dog ran to the cat " * 20))
    hard = Counter(
        find_words("considerable institutional responsibility necessitates comprehensive deliberation " * 40)
    )

    easy_score, hard_score = readability(easy, 40, "en"), readability(hard, 4, "en")

    assert easy_score is not None
    assert hard_score is not None
    assert easy_score.formula == "Flesch 1948"
    assert easy_score.score > 80 > 0 > hard_score.score
    assert readability(easy, 40, "ko") is None
    assert readability(easy, 0, "en") is None


def test_reading_time_is_by_words_or_by_characters() -> None:
    """English counts words, Chinese characters; what was never measured is not guessed."""
    assert reading_minutes(2280, 0, "en") == 10
    assert reading_minutes(None, 2550, "zh-Hans") == 10
    assert reading_minutes(100, 100, "und") is None


TALE = """Mr. Holt came to the mill. "Good evening," said Mr. Holt. Anna Reed looked up. "You are late," said Anna.
The wind came from London. Holt smiled. "From London?" asked Anna. They had never been in London. The door opened.
Then Anna laughed, and Holt said nothing. In London it rained. Anna Reed turned away. "Nobody lives in London,"
cried Holt.
"""


def test_people_are_those_who_speak_and_act() -> None:
    """Names of one person are joined; places, and words that only begin a sentence, are left out."""
    words = Counter(word.lower() for word in find_words(TALE * 3) if word.islower())
    words.update({"the": 9, "then": 9, "nobody": 9, "they": 9, "in": 9, "from": 9, "good": 9, "you": 9})

    people = find_people([find_names(TALE, "en"), find_names(TALE * 2, "en")], words, "en")

    assert {person.name for person in people} == {"Holt", "Anna"}
    holt = next(person for person in people if person.name == "Holt")
    assert holt.aliases == ("Mr. Holt",)
    assert holt.by_chapter == (5, 10)


def test_people_of_unknown_languages_are_not_available() -> None:
    """Chinese has no capitals to go by, so nothing is claimed."""
    assert not knows_names("zh-Hans")
    assert knows_names("en")


def measured(text: str) -> BookMeasures:
    """Measure a text as `analyze` does."""
    measuring = Measuring(read_novel(text.encode()))
    for _ in measuring.measure():
        pass
    return measuring.book()


def test_a_book_sums_up_its_chapters() -> None:
    """Totals are those of the sections with headings; the title page is not counted."""
    chapter = TALE * 10
    book = measured(
        f"A Title Page\n\n\nCHAPTER I\n\n{chapter}\n\n\nCHAPTER II\n\n{chapter}\n\n\nCHAPTER III\n\n{chapter}\n"
    )

    assert [section.title for section in book.chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
    assert book.words == sum(section.words or 0 for section in book.chapters)
    assert book.characters == sum(section.characters for section in book.chapters)
    assert book.dialogue_marks == '""'
    assert book.people is not None
    assert [person.name for person in book.people] == ["Anna", "Holt"]
    assert book.meetings is not None
    assert book.meetings[0].chapters == 3


def test_chinese_figures_that_need_a_dictionary_are_none() -> None:
    """Without a word list neither words nor richness nor people are invented."""
    book = measured("第一回　山中\n\n" + "老人说：“请进来。”少年走了进去。\n" * 200)

    assert (book.words, book.readability, book.richness, book.people, book.meetings) == (None, None, None, None, None)
    assert book.sentences == 400
    assert book.reading_minutes is not None
    assert book.dialogue_share is not None
