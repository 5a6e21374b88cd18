"""The language of a text is named by its script and its small words."""

from __future__ import annotations

import pytest

from novel_tasks_core.text.language import detect_language

SAMPLES = {
    "en": "It was growing dark, and the old man was sitting in front of his house when he saw that a boy was coming.",
    "fr": (
        "La nuit tombait et le vieil homme était assis devant sa maison quand il vit venir un garçon qui ne "
        "parlait pas."
    ),
    "de": "Es wurde schon dunkel, und der alte Mann saß vor dem Haus, als er sah, wie ein Junge von der Straße kam.",
    "es": (
        "Ya caía la noche y el viejo estaba sentado delante de su casa cuando vio que un muchacho venía por el camino."
    ),
    "it": "Era già notte e il vecchio sedeva davanti alla sua casa quando vide che un ragazzo veniva per la strada.",
    "pt": (
        "Já caía a noite e o velho estava sentado diante da sua casa quando viu que um rapaz vinha pelo caminho; "
        "não falou."
    ),
    "nl": "Het werd al donker en de oude man zat voor zijn huis toen hij een jongen zag die van de weg naar hem kwam.",
    "ru": "Уже темнело, и старик сидел перед своим домом, когда увидел, что по дороге к нему идёт мальчик.",
    "uk": "Уже темніло, і старий сидів перед своєю хатою, коли побачив, що до нього йде хлопець.",
    "ja": "もう日が暮れかけていた。老人は家の前に坐って、道を歩いて来る少年を見ていた。",
    "zh-Hans": "天色已晚，老人坐在门前，看见一个少年从远处走来，便问他从什么地方来，要到哪里去。",
    "zh-Hant": "天色已晚，老人坐在門前，看見一個少年從遠處走來，便問他從甚麼地方來，要到哪裡去。",
    "ko": "이미 해가 지고 있었다. 노인은 문 앞에 앉아 있다가 걸어오는 소년을 보았다.",
    "el": "Είχε ήδη νυχτώσει και ο γέρος καθόταν μπροστά στο σπίτι του.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_names_the_language_of_a_sentence(language: str) -> None:
    """One sentence is enough to tell the languages apart."""
    assert detect_language(SAMPLES[language]) == language


@pytest.mark.parametrize("text", ["", "12345 67890", "***\n---", "?"])
def test_says_when_there_is_no_telling(text: str) -> None:
    """A text without letters has the language und."""
    assert detect_language(text) == "und"


def test_a_foreign_licence_does_not_count() -> None:
    """An English preface before a French novel leaves it French: the middle is what counts."""
    text = SAMPLES["en"] * 100 + SAMPLES["fr"] * 1500 + SAMPLES["en"] * 100

    assert detect_language(text) == "fr"
