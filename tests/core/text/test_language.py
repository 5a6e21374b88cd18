"""The language of a text is named by its script and its small words."""

from __future__ import annotations

import sys
from typing import SupportsIndex

import pytest

from novel_tasks_core.text.language import detect_language
from tests.core.text.tales import TALES

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


@pytest.mark.parametrize("language", TALES)
@pytest.mark.parametrize("extra", ["with", "without"])
def test_names_the_language_of_a_tale(monkeypatch: pytest.MonkeyPatch, language: str, extra: str) -> None:
    """Four lines are enough in every language, with the extra `lang` and without."""
    if extra == "without":
        monkeypatch.setitem(sys.modules, "lingua", None)

    assert detect_language(TALES[language]) == language


def test_few_words_are_asked_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where small words leave a short text open, lingua decides, if it is installed."""
    text = "Egyszer nagyon szeretném látni nagyanyám házát."
    with_it = detect_language(text)
    monkeypatch.setitem(sys.modules, "lingua", None)

    assert (with_it, detect_language(text)) == ("hu", "und")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Es war ein Theil des Thales, den er bey sich nöthig zu seyn däuchte, und that ihm wohl.", "de"),
        ("Бѣлый снѣгъ, тѣнь лѣса, звѣзды, вѣтеръ; дѣти пѣли пѣсни, дѣдъ вѣшалъ сѣть.", "ru"),
        ("Въ тотъ день онъ пріѣхалъ въ деревню, гдѣ жилъ его старый другъ, и не нашелъ его дома.", "ru"),
        ("東京駅広場、気温上昇、対応検討実施、経済発展。国会図書館、関係者総会、読売新聞社、竜神沢駅。", "ja"),
        ("他说：“の”是日文里的一个字，那里的人们都这样写。后来我们才知道这个字的意思。", "zh-Hans"),
        ("子曰學而時習之不亦說乎有朋自遠方來不亦樂乎人不知而不慍不亦君子乎", "zh-Hant"),
        ("به نام خداوند جان و خرد کزین برتر اندیشه برنگذرد", "fa"),
        ("იყო და არა იყო რა, ღვთის უკეთესი რა იქნებოდა", "ka"),
    ],
)
def test_knows_old_spellings_and_kindred_scripts(text: str, language: str) -> None:
    """Old German and Russian, Japanese without syllables, Chinese with one, classical Chinese, Persian."""
    assert detect_language(text) == language


def test_the_majority_of_a_mixed_text_counts() -> None:
    """A novel with dialogue in another language keeps its own."""
    text = "".join(TALES["ru"] + (TALES["fr"] if number % 3 == 0 else "") for number in range(120))

    assert detect_language(text) == "ru"


def test_a_long_licence_around_a_short_tale_does_not_count() -> None:
    """A distributor's header and licence may be longer than the tale between them."""
    start = "*** START OF THE PROJECT GUTENBERG EBOOK LE MOULIN ***\n"
    end = "*** END OF THE PROJECT GUTENBERG EBOOK LE MOULIN ***\n"
    text = TALES["en"] * 5 + start + TALES["fr"] * 4 + end + TALES["en"] * 40

    assert detect_language(text) == "fr"


def test_only_samples_of_a_long_text_are_read() -> None:
    """The language of a text on disk is named from a few passages."""

    class Long(str):
        taken = 0

        def __getitem__(self, key: SupportsIndex | slice) -> str:
            found = super().__getitem__(key)
            self.taken += len(found)
            return found

    text = Long(TALES["de"] * 10_000)

    assert detect_language(text) == "de"
    assert text.taken < 500_000


def test_a_word_of_many_languages_tells_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that a dozen languages have weigh less than one that only one of them has."""
    monkeypatch.setitem(sys.modules, "lingua", None)

    assert detect_language(TALES["ro"][:60]) == "ro"


@pytest.mark.parametrize("text", ["", "12345 67890", "***\n---", "?"])
def test_says_when_there_is_no_telling(text: str) -> None:
    """A text without letters has the language und."""
    assert detect_language(text) == "und"


def test_a_foreign_licence_does_not_count() -> None:
    """An English preface before a French novel leaves it French: the middle is what counts."""
    text = SAMPLES["en"] * 100 + SAMPLES["fr"] * 1500 + SAMPLES["en"] * 100

    assert detect_language(text) == "fr"
