"""The words of headings: what a division of a book is called in many languages, and how deep it lies."""

from __future__ import annotations

PART, CHAPTER, SECTION = 1, 2, 3

_DIVISIONS: dict[int, str] = {
    PART: (
        "part parts volume volumes vol tome tomes livre livres partie parties teil band buch tomo tomos libro "
        "libros parte partes"
        " volumen livro livros том часть книга del deel boek bok osa kirja część tom księga díl rész könyv"
        " book liber pars act acto acte akt aufzug действие abteilung раздел"
    ),
    CHAPTER: (
        "chapter chapters chap ch chapitre chapitres chap kapitel kap capítulo capitulo capítulos capitolo "
        "capitoli cap hoofdstuk"
        " глава главы гл kapittel rozdział kapitola fejezet luku capitolul bölüm розділ stave staff canto cantos chant"
        " gesang песнь песня letter lettre brief carta lettera письмо adventure aventure abenteuer aventura приключение"
        " episode épisode episodio tale story histoire geschichte рассказ night nuit nacht ночь fit fytte lesson"
        " lektion lecture vorlesung essay fable fabel fábula novella novelle veillée jornada journée día day dag tag"
        " день evening вечер abend soirée idyl idyll discourse dialogue meditation psalm sonnet"
    ),
    SECTION: (
        "section sections abschnitt sección seção sezione scene scène escena szene auftritt сцена явление параграф"
    ),
}
DIVISION_RANKS = {word: rank for rank, words in _DIVISIONS.items() for word in words.split()}
"""Casefolded word -> rank: 1 for parts and volumes, 2 for chapters, 3 for sections of a chapter."""

_SURE = (
    "part book volume chapter chapitre partie livre tome kapitel teil buch band capítulo capitulo parte libro"
    " tomo capitolo chap глава часть книга том stave canto letter hoofdstuk livro rozdział kapitola"
)
_SAME = "chap chapter|chaps chapter|ch chapter|chapitre chapter|capitulo capítulo|cap capítulo|kap kapitel|гл глава"
SAME_DIVISIONS = dict(pair.split() for pair in _SAME.split("|"))
"""Ways of writing a division -> the one whose count they go on with."""

SURE_DIVISIONS = frozenset(_SURE.split())
"""Division words that are hardly ever used with a number in any other sense at the start of a line."""


def is_sure_division(word: str) -> bool:
    """Tell whether a division word is hardly ever used with a number in another sense; Chinese units are."""
    return word in SURE_DIVISIONS or (len(word) == 1 and word > "\u2e80")


_HAN_UNITS = {
    PART: "幕卷巻部篇編编集册冊輯辑",
    CHAPTER: "回囘迴廻章話话夜折出齣帖讲講信",
    SECTION: "節节场場段",
}
HAN_UNITS = {unit: rank for rank, units in _HAN_UNITS.items() for unit in units}
"""What stands after 第N -> rank."""

ARTICLES = frozenset(
    ["the", "la", "le", "el", "los", "las", "les", "der", "die", "das", "dem", "den", "il", "lo", "gli"]
)
ABBREVIATIONS = frozenset(["chap", "ch", "cap", "kap", "гл", "vol"])

FRONT = "front"
BACK = "back"
_NAMED: dict[str, str] = {
    FRONT: (
        "prologue|preface|foreword|introduction|introductory|dedication|to the reader|author's note|author's "
        "preface|prelude|proem"
        "|author's introduction|translator's preface|translator's note|editor's note|publisher's note|"
        "advertisement|argument|invocation"
        "|introductory note|prefatory note|preamble|etymology|extracts|the preface|the prologue|preliminary|"
        "publisher's preface"
        "|prologue.|avant-propos|préface|préambule|prélude|au lecteur|avertissement|dédicace|avis au lecteur|"
        "préface de l'auteur"
        "|vorwort|einleitung|vorrede|prolog|vorspiel|einführung|widmung|vorbemerkung|zueignung|an den leser"
        "|prólogo|prologo|prefacio|introducción|introduccion|dedicatoria|preludio|al lector|advertencia|proemio|"
        "prefação|prefácio|introdução"
        "|prefazione|introduzione|premessa|voorwoord|inleiding|proloog"
        "|предисловие|пролог|введение|вступление|от автора|предисловие автора|посвящение|от издателя|к читателю|"
        "вместо предисловия"
        "|序|序章|序言|序幕|自序|前言|楔子|引子|引言|引首|緣起|缘起|开篇|開篇|序曲|弁言|卷首|卷首語|卷首语|小引|题记|題記|序文|凡例|例言|发端|發端|作者序|原序"
        "|はしがき|まえがき|前書き|前書|前書きに代えて|プロローグ|序詞|序にかえて|緒言|はじめに|発端|머리말|서문|프롤로그|서장"
    ),
    BACK: (
        "epilogue|afterword|conclusion|appendix|postscript|envoi|envoy|l'envoi|the conclusion|the epilogue|"
        "afterwords|coda"
        "|glossary|author's afterword|concluding chapter|conclusion.|last chapter|the last chapter"
        "|épilogue|postface|appendice|dernier chapitre|conclusions"
        "|nachwort|epilog|schluss|schluß|anhang|nachspiel|ausklang|nachschrift|letztes kapitel|epílogo|epilogo|"
        "conclusión|apéndice|posfácio|conclusão"
        "|conclusione|nawoord|epiloog|эпилог|послесловие|заключение|приложение|вместо эпилога|вместо послесловия"
        "|后记|後記|尾声|尾聲|跋|终章|終章|结语|結語|附录|附錄|番外|大结局|大結局|結局|结局|结尾|結尾|完本感言|後序|后序|尾章|终曲|終曲"
        "|あとがき|後書き|エピローグ|跋文|解説|解題|結び|おわりに|終わりに|結末|付録|附録|에필로그|후기|종장|맺음말"
    ),
}
NAMED_HEADINGS: dict[str, str] = {name: kind for kind, names in _NAMED.items() for name in names.split("|")}
"""Casefolded headings that need no number -> front or back."""

_CONTENTS = (
    "contents|table of contents|the contents|contents.|list of chapters|chapters|index|table des matières"
    "|table des matieres|table|sommaire|inhalt|inhaltsverzeichnis|inhaltsübersicht|índice|indice"
    "|tabla de contenido|contenido|tabla de materias|sumário|sommario|inhoud|inhoudsopgave|оглавление|содержание"
    "|spis treści|obsah|tartalom|sisällys|indhold|innehåll|目录|目錄|目次|總目|总目|回目|章节目录|章節目錄|もくじ"
    "|차례|목차"
)
CONTENTS_TITLES = frozenset(_CONTENTS.split("|"))
"""Casefolded headings of a book's own list of chapters."""
