"""What is spoken: short passages with the speech marked by hand, in the many ways in which books print it."""

from __future__ import annotations

import pytest

from novel_tasks_core.text.dialogue import DialogueStyle, dialogue_style, spoken_spans

SAMPLES: dict[str, tuple[str, str]] = {
    "curly": (
        "en",
        "“⟦Come in,⟧” he said. “⟦It is cold.⟧” She came in.\n\nThe fire burned low, and nobody spoke.",
    ),
    "straight": (
        "en",
        '"⟦Come in,⟧" he said. "⟦It is cold.⟧" She came in.\n\nThe fire burned low, and nobody spoke.',
    ),
    "british curly": (
        "en",
        "‘⟦Come in, don’t stand there,⟧’ he said. She came in from the boys’ yard.\n\n"
        "‘⟦I was lookin’ for the dogs’ food, ’tis all gone,⟧’ she said. ‘⟦Is it?⟧’\n\n"
        "The dogs’ dishes were empty; it wasn’t like Tom’s house.",
    ),
    "british straight": (
        "en",
        "'⟦Come in, don't stand there,⟧' he said. She came in from the boys' yard.\n\n"
        "'⟦I was lookin' for the dogs' food, it's all gone,⟧' she said. '⟦Is it?⟧'\n\n"
        "The dogs' dishes were empty; it wasn't like Tom's house.",
    ),
    "british over paragraphs": (
        "en",
        "‘⟦It was in the boys’ yard that it all began, and nobody saw it⟧\n\n‘⟦And then it ended.⟧’\n\n"
        "He fell silent, and we waited for the boys’ return.\n\n‘⟦Go on,⟧’ I said.",
    ),
    "speech that goes on small": (
        "en",
        "'⟦Come,⟧' he said, '⟦and sit down; 'tis late.⟧' She sat down.\n\n"
        "'⟦It is,⟧' she said, '⟦as you say, no way to treat a guest.⟧'\n\nHe laughed.",
    ),
    "punctuation outside": (
        "en",
        "‘⟦Yes⟧’, he said, ‘⟦I think so⟧’. She shook her head.\n\n"
        "‘⟦No⟧’, she said. ‘⟦It is as far as the river⟧’.\n\n"
        "They went on.",
    ),
    "nested": (
        "en",
        "“⟦He told me, ‘Never again,’ and he meant it,⟧” said Ann.\n\n"
        "“⟦Did he say ‘never’?⟧” asked Tom. Ann nodded.\n\n"
        "That was all.",
    ),
    "nested british": (
        "en",
        "‘⟦He told me, “Never again,” and he meant it,⟧’ said Ann.\n\n"
        "‘⟦Did he say “never”?⟧’ asked Tom. Ann nodded.\n\n"
        "That was all.",
    ),
    "over paragraphs": (
        "en",
        "“⟦It was a dark night.⟧\n\n"
        "“⟦I heard a step on the stair.⟧\n\n"
        "“⟦Then the door opened.⟧”\n\n"
        "He fell silent, and we waited.\n\n"
        "“⟦Go on,⟧” I said.",
    ),
    "over paragraphs straight": (
        "en",
        '"⟦It was a dark night.⟧\n\n'
        '"⟦I heard a step on the stair.⟧\n\n'
        '"⟦Then the door opened.⟧"\n\n'
        "He fell silent, and we waited.\n\n"
        '"⟦Go on,⟧" I said.',
    ),
    "not closed": (
        "en",
        "“⟦I will never tell you.⟧\n\n"
        "He left the room, and the house was quiet for a long while.\n\n"
        "“⟦Well?⟧” said Ann.\n\n"
        "“⟦Nothing.⟧”",
    ),
    "not closed straight": (
        "en",
        '"⟦I will never tell you.⟧\n\n'
        "He left the room, and the house was quiet for a long while.\n\n"
        '"⟦Well?⟧" said Ann.\n\n'
        '"⟦Nothing.⟧"',
    ),
    "a poem is spoken": (
        "en",
        "“⟦Listen:\n\n"
        "The moon is up,\n"
        "the sea is down,\n\n"
        "and all the bells are ringing.⟧”\n\n"
        "She stopped.\n\n"
        "“⟦Lovely,⟧” said Tom.",
    ),
    "words in quotes": (
        "en",
        "The so-called “gentleman” had read “The Time Machine” twice, and slept at the sign of the “Red "
        "Lion.”\n\n"
        "“⟦I liked it,⟧” he said. “⟦It is about the moon.⟧”\n\n"
        "“⟦It is not!⟧” said Ann.",
    ),
    "words in british quotes": (
        "en",
        "The so-called 'gentleman' had a house near the 'Red Lion' and the boys' school.\n\n"
        "'⟦I liked it,⟧' he said. '⟦It is about the moon.⟧'\n\n"
        "'⟦It is not!⟧' said Ann.",
    ),
    "interrupted": (
        "en",
        "“⟦I never said——⟧” he began.\n\n"
        "“⟦You did!—you said⟧”—she struck the table—“⟦that you would come—⟧”\n\n"
        "He rose.\n\n"
        "“⟦Oh—⟧”",
    ),
    "wrapped": (
        "en",
        '"⟦It is a long way to the river,\n'
        'and a longer way back⟧," said the old\n'
        'man, "⟦and there is no bridge; so you\n'
        'had better stay.⟧" They\n'
        "stayed.\n\n"
        "In the morning the rain had stopped.",
    ),
    "lines are paragraphs": (
        "en",
        "“⟦I will never tell you.⟧\n"
        "He left the room, and the house was quiet.\n"
        "“⟦Well?⟧” said Ann.\n"
        "“⟦Nothing.⟧”\n"
        "The clock struck, and struck again.\n"
        "Nobody came to the door that night.",
    ),
    "indented paragraphs": (
        "en",
        "    “⟦I will never tell you.⟧\n"
        "    He left the room, and the house was\n"
        "quiet for a long while, and then for a\n"
        "longer one.\n"
        "    “⟦Well?⟧” said Ann.\n"
        "    “⟦Nothing.⟧”\n"
        "    The clock struck, and struck again, and\n"
        "nobody came to the door.",
    ),
    "english dashes": (
        "en",
        "—⟦Are you there?⟧ said Tom.\n\n"
        "—⟦I am here,⟧ said she.\n\n"
        "The rain fell on the roof of the tram.\n\n"
        "—⟦Good night, so.⟧",
    ),
    "guillemets": (
        "fr",
        "« ⟦Entrez⟧, dit-il, ⟦il fait froid.⟧ »\n\n"
        "Elle entra dans la maison, et la porte se ferma.\n\n"
        "« ⟦Qui êtes-vous ?⟧ » demanda-t-elle.",
    ),
    "french both": (
        "fr",
        "« ⟦Entrez⟧, dit-il, ⟦il fait froid.⟧\n\n"
        "— ⟦Qui êtes-vous ?⟧\n\n"
        "— ⟦Un ami, et vous ne me connaissez pas.⟧ »\n\n"
        "Elle entra dans la maison, et la porte se ferma.\n\n"
        "— ⟦Fermez !⟧\n\n"
        "Il ferma la porte.",
    ),
    "french dashes": (
        "fr",
        "— ⟦Entrez,⟧ dit-il, ⟦il fait froid.⟧\n\n"
        "Elle entra dans la maison, et la porte se ferma.\n\n"
        "— ⟦Qui êtes-vous ?⟧ demanda la femme.\n\n"
        "— ⟦Un ami.⟧",
    ),
    "german": (
        "de",
        "»⟦Kommen Sie herein⟧«, sagte er. »⟦Es ist kalt.⟧« Sie trat ein.\n\nDas Feuer brannte, und niemand sprach.",
    ),
    "german low": (
        "de",
        "„⟦Kommen Sie herein⟧“, sagte er. „⟦Es ist kalt.⟧“ Sie trat ein.\n\nDas Feuer brannte, und niemand sprach.",
    ),
    "spanish": (
        "es",
        "—⟦Entre⟧ —dijo él—⟦. Hace frío.⟧\n\n"
        "Ella entró en la casa, y la puerta se cerró.\n\n"
        "—⟦¿Quién es usted?⟧ —preguntó.",
    ),
    "russian": (
        "ru",
        "— ⟦Входите,⟧ — сказал он. — ⟦Холодно.⟧\n\nОна вошла в дом, и дверь закрылась.\n\n— ⟦Кто вы?⟧ — спросила она.",
    ),
    "russian indented": (
        "ru",
        "     – ⟦Входите,⟧ – сказал он. – ⟦Холодно.⟧\n"
        "     Она вошла в дом, и дверь закрылась.\n"
        "     – ⟦Кто вы?⟧ – спросила она.\n"
        "     Никто не ответил ей, и было тихо.",
    ),
    "italian": (
        "it",
        "«⟦Entri⟧», disse. «⟦Fa freddo.⟧» Ella entrò.\n\nIl fuoco bruciava, e nessuno parlava.",
    ),
    "portuguese": (
        "pt",
        "—⟦Entre⟧ —disse ele. —⟦Está frio.⟧\n\nEla entrou na casa, e a porta fechou-se.\n\n—⟦Quem é?⟧ —perguntou.",
    ),
    "dutch": (
        "nl",
        "“⟦Kom binnen,⟧” zei hij. “⟦Het is koud.⟧” Ze kwam binnen.\n\nHet vuur brandde, en niemand sprak.",
    ),
    "polish": (
        "pl",
        "— ⟦Proszę wejść⟧ — powiedział. — ⟦Jest zimno.⟧\n\nWeszła do domu i zamknęła drzwi.\n\n— ⟦Kto tam?⟧ — spytała.",
    ),
    "swedish": (
        "sv",
        "— ⟦Stig in,⟧ — sade han. — ⟦Det är kallt.⟧\n\nHon gick in i huset, och dörren slogs igen.\n\n— ⟦Vem är det?⟧",
    ),
    "chinese": (
        "zh-Hans",
        "老人说：“⟦请进来。⟧”少年走了进去。\n外面下着雨，谁也没有说话。",
    ),
    "taiwanese": (
        "zh-Hant",
        "老人說：「⟦請進來。⟧」少年走了進去。\n外面下著雨，誰也沒有說話。",
    ),
    "japanese": (
        "ja",
        "「⟦お入り⟧」と老人は言った。少年は中へ入った。\n外は雨だった。",
    ),
}
REPEATS = 6


def read(marked: str) -> tuple[str, set[int]]:
    """Return the text of a sample, and the places of the characters that are spoken and not blank."""
    text: list[str] = []
    spoken: set[int] = set()
    talking = False
    for character in marked:
        if character in "⟦⟧":
            talking = character == "⟦"
            continue
        if talking and not character.isspace():
            spoken.add(len(text))
        text.append(character)
    return "".join(text), spoken


def f1(name: str) -> float:
    """Return the F1 of the characters that are told to be spoken in a sample that is repeated."""
    language, marked = SAMPLES[name]
    gap = "\n" if "\n\n" not in marked else "\n\n"
    text, spoken = read((marked + gap) * REPEATS)
    found = {at for start, end in spoken_spans(text, language) for at in range(start, end) if not text[at].isspace()}
    return 2 * len(found & spoken) / (len(found) + len(spoken))


@pytest.mark.parametrize("name", SAMPLES)
def test_speech_is_told_from_narration(name: str) -> None:
    """Nearly every character of a passage is rightly told to be spoken or not."""
    assert f1(name) >= 0.97


def test_spans_are_in_order_and_apart() -> None:
    """They can be cut out of the text one after the other."""
    for language, marked in SAMPLES.values():
        text, _ = read((marked + "\n\n") * REPEATS)
        spans = spoken_spans(text, language)
        bounds = [bound for span in spans for bound in span]
        assert bounds == sorted(bounds)
        assert all(0 <= start < end <= len(text) for start, end in spans)


def test_the_mark_that_covers_most_is_the_book_s() -> None:
    """A book that puts words in double quotation marks and speech in single ones speaks in single ones."""
    text = "‘Come in,’ he said. ‘It is cold, and I have read “Emma” twice.’\n\n" * 8

    style = dialogue_style(text, "en")

    assert style is not None
    assert style.marks == "‘’"


@pytest.mark.parametrize(
    ("text", "language"), [("He came. She went. " * 50, "en"), ("« Oui. » " * 50, "th"), ("", "en")]
)
def test_speech_without_known_marks_is_not_available(text: str, language: str) -> None:
    """A book or a language whose way of marking speech is unknown has no share of it."""
    assert dialogue_style(text, language) is None


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", "''", "«»", "„“", "—"])
def test_marks_without_end_take_linear_time(marks: str) -> None:
    """A hundred thousand opening marks, and none that closes, are read at once."""
    text = (marks[0] + "a " + marks[0] * 2 + "b\n") * 20_000

    assert DialogueStyle(marks, "en").spans(text) is not None
