"""The few words that an EPUB file says itself, in the language of the novel."""

from __future__ import annotations

from attrs import frozen


@frozen
class Words:
    """Names of the pages that a book has beside its chapters."""

    contents: str
    cover: str
    title_page: str
    front: str
    back: str
    text: str
    untitled: str


_WORDS = {
    "en": Words("Contents", "Cover", "Title page", "Front matter", "Back matter", "Text", "Untitled"),
    "zh-Hans": Words("目录", "封面", "书名页", "卷首", "卷末", "正文", "无题"),
    "zh-Hant": Words("目錄", "封面", "書名頁", "卷首", "卷末", "正文", "無題"),
    "ja": Words("目次", "表紙", "扉", "巻頭", "巻末", "本文", "無題"),
    "ko": Words("차례", "표지", "속표지", "머리말", "꼬리말", "본문", "제목 없음"),
    "fr": Words("Sommaire", "Couverture", "Page de titre", "Avant-texte", "Fin du livre", "Texte", "Sans titre"),
    "de": Words("Inhalt", "Umschlag", "Titelseite", "Vorspann", "Anhang", "Text", "Ohne Titel"),
    "es": Words("Índice", "Cubierta", "Portada", "Preliminares", "Final", "Texto", "Sin título"),
    "it": Words("Indice", "Copertina", "Frontespizio", "Inizio", "Fine", "Testo", "Senza titolo"),
    "pt": Words("Índice", "Capa", "Folha de rosto", "Início", "Fim", "Texto", "Sem título"),
    "ru": Words("Содержание", "Обложка", "Титульный лист", "Начало", "Приложение", "Текст", "Без названия"),
}


def words_of(language: str) -> Words:
    """Return the words in a language, named by its BCP 47 tag; English ones where we have none."""
    if language in _WORDS:
        return _WORDS[language]
    primary = language.split("-")[0].lower()
    if primary == "zh":
        traditional = any(part in language for part in ("Hant", "TW", "HK", "MO"))
        return _WORDS["zh-Hant" if traditional else "zh-Hans"]
    return _WORDS.get(primary, _WORDS["en"])
