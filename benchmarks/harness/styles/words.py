"""Words, title pages and mottoes of every language that books are set in."""

from __future__ import annotations

import re

from benchmarks.harness.ordinals import TITLES
from benchmarks.harness.restyle import han

LATIN = "en fr de es ru"


CHAPTER = {"en": "Chapter", "fr": "Chapitre", "de": "Kapitel", "es": "Capítulo", "ru": "Глава"}


PART = {"en": "Part", "fr": "Partie", "de": "Teil", "es": "Parte", "ru": "Часть"}


BOOK = {"en": "Book", "fr": "Livre", "de": "Buch", "es": "Libro", "ru": "Книга"}


CONTENTS = {
    "en": "CONTENTS", "fr": "TABLE DES MATIÈRES", "de": "Inhalt", "es": "ÍNDICE", "ru": "ОГЛАВЛЕНИЕ",
    "zh": "目录", "ja": "目次",
}  # fmt: skip


TOPS = {
    "en": "THE HOUSE ON THE RIVER\n\nby A. N. Other\n\nLondon\n1893",
    "fr": "LA MAISON DU FLEUVE\n\npar A. Dupont\n\nParis\n1893",
    "de": "Das Haus am Fluß\n\nRoman\n\nvon A. Nonymus",
    "es": "LA CASA DEL RÍO\n\npor A. Nónimo\n\nMadrid, 1893",
    "ru": "А. Н. Другой\n\nДОМ НА РЕКЕ\n\nРоман",
    "zh": "河上的房子\n作者：无名氏",
    "ja": "川の家\n某作家",
}  # fmt: skip


EPIGRAPHS = {
    "en": '"Blow, blow, thou winter wind,\nThou art not so unkind."\n--SHAKESPEARE.',
    "fr": "« Le vent se lève,\nil faut tenter de vivre. »\nV.",
    "de": "»Über allen Gipfeln\nist Ruh.«\nGoethe",
    "es": "«Nuestras vidas son los ríos\nque van a dar en la mar.»\nManrique",
    "ru": "Береги честь смолоду.\nПословица.",
    "zh": "诗曰：\n大江东去浪淘尽，千古风流人物。",
    "ja": "「山路を登りながら、こう考えた。」",
}  # fmt: skip


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}


LETTERS = {"en": "Letter", "fr": "Lettre", "de": "Brief", "es": "Carta", "ru": "Письмо"}


GUTENBERG_TOP = (
    "The Project Gutenberg eBook of The House, by A. N. Other\n\nThis ebook is for the use of anyone anywhere.\n\n"
    "Title: The House\n\nAuthor: A. N. Other\n\nChapter list follows.\n\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK THE HOUSE ***\n\nProduced by volunteers\n\n"
)


GUTENBERG_BOTTOM = (
    "\n\n*** END OF THE PROJECT GUTENBERG EBOOK THE HOUSE ***\n\nSection 1. General Terms of Use\n\n"
    "1.A. By reading or using any part of this work\n\n1.B. It may only be used\n\nSection 2. Information\n\n"
    "Section 3. Information about the Foundation\n\nSection 4. Information about Donations\n"
)


def titles_of(family: str) -> tuple[str, ...]:
    """Return titles for the chapters of a book."""
    return tuple(re.split(r"\|", TITLES[family]))


def full_width(number: int) -> str:
    """Write a number in full-width digits."""
    return str(number).translate({ord("0") + digit: ord("０") + digit for digit in range(10)})


def formal(number: int) -> str:
    """Write a number in the Chinese digits of accounts."""
    return han(number).translate(str.maketrans("一二三四五六七八九十", "壹贰叁肆伍陆柒捌玖拾"))
