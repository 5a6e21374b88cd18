"""Numbers in words as headings have them, up to twenty-four, and titles for chapters that have none."""

from __future__ import annotations

CARDINALS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four",
    "de": "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn zwanzig einundzwanzig zweiundzwanzig dreiundzwanzig vierundzwanzig",
    "fr": "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf vingt vingt-et-un vingt-deux vingt-trois vingt-quatre",
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro",
    "ru": "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать двадцать двадцать_один двадцать_два "
    "двадцать_три двадцать_четыре",
}
ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third "
    "twenty-fourth",
    "de": "erstes zweites drittes viertes fünftes sechstes siebentes achtes neuntes zehntes elftes zwölftes "
    "dreizehntes vierzehntes fünfzehntes sechzehntes siebzehntes achtzehntes neunzehntes zwanzigstes "
    "einundzwanzigstes zweiundzwanzigstes dreiundzwanzigstes vierundzwanzigstes",
    "fr": "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième "
    "treizième quatorzième quinzième seizième dix-septième dix-huitième dix-neuvième vingtième vingt-et-unième "
    "vingt-deuxième vingt-troisième vingt-quatrième",
    "es": "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo decimotercero "
    "decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno vigésimo vigésimo_primero "
    "vigésimo_segundo vigésimo_tercero vigésimo_cuarto",
    "ru": "первая вторая третья четвёртая пятая шестая седьмая восьмая девятая десятая одиннадцатая двенадцатая "
    "тринадцатая четырнадцатая пятнадцатая шестнадцатая семнадцатая восемнадцатая девятнадцатая двадцатая "
    "двадцать_первая двадцать_вторая двадцать_третья двадцать_четвёртая",
}
TITLES = {
    "en": (
        "The Mill|A Stranger Comes to Town|What the Dog Saw|Rain|The Letter|Homeward|Two Brothers|Ice|The Fair|Dusk|"
        "In the Cellar|My Uncle's Fortune|The Captain Speaks|A Narrow Escape|The Old House by the River|Mrs. Pringle"
        "|Tom Makes Up His Mind|Silence and Snow|On the Moor|The Widow's Secret|At Sea|Of Certain Debts|The Trial"
        "|A Message from London|Who Goes There?|The Last Candle|Father and Son|Nightfall|How It Ended"
    ),
    "fr": (
        "Le moulin|L'arrivée d'un inconnu|Une lettre de Paris|Où l'on retrouve le capitaine|La pluie|Les deux frères|"
        "Au bord de l'eau|Le secret de la veuve|Un dîner chez le notaire|La foire|À la belle étoile|Le départ|Minuit"
        "|Ce que vit le jardinier|Madame Aubry|L'héritage|Les suites d'un bal|Le procès|Père et fils|La dernière nuit"
        "|Dans la forêt|Trahison|Le retour|Comment tout finit"
    ),
    "de": (
        "Die Mühle|Ein Fremder kommt|Der Brief aus Wien|Regen|Zwei Brüder|Am Ufer|Was der Hund sah|Heimkehr|Im Keller"
        "|Das Erbe|Der Jahrmarkt|Die Witwe|Ein Abend beim Pfarrer|Auf der Heide|Der Prozeß|Vater und Sohn|Die Reise"
        "|Schnee|Nacht|Das letzte Licht|Der Onkel|Frau Reimann spricht|Abschied|Wie es endete"
    ),
    "es": (
        "El molino|La llegada de un forastero|Una carta de Madrid|La lluvia|Los dos hermanos|A la orilla del río|"
        "El secreto de la viuda|La feria|El regreso|En el sótano|La herencia|Doña Rosa|El capitán habla|De noche"
        "|Padre e hijo|El juicio|La despedida|Nieve|Un baile|En el monte|La última vela|Traición|El viaje|Cómo acabó"
    ),
    "ru": (
        "Мельница|Приезд незнакомца|Письмо из Москвы|Дождь|Два брата|На берегу|Тайна вдовы|Ярмарка|Возвращение"
        "|В подвале|Наследство|Капитан говорит|Ночь|Отец и сын|Суд|Прощание|Снег|Бал|В лесу|Последняя свеча|Измена"
        "|Дорога|Дядюшка|Чем всё кончилось"
    ),
    "zh": (
        "山雨欲来|陌生人|夜半来客|故人|一封信|磨坊旧事|雪夜|兄弟|离别|大战|真相大白|谁是凶手？|拜师|入城|下山|重逢"
        "|逃出生天|比武招亲|老人的秘密|突破！|暗流涌动|天下第一|归来|结局之前"
    ),
    "ja": (
        "水車小屋|見知らぬ客|手紙|雨の夜|二人の兄弟|川辺|帰郷|祭の日|秘密|雪|裁判|父と子|最後の灯|旅立ち|別れ"
        "|山の家|夜汽車|海|再会|黄昏|朝|老人の話|約束|終わりの始まり"
    ),
}


def cardinal(number: int, family: str) -> str:
    """Return the word for a number of at most 24."""
    return CARDINALS[family].split()[number - 1].replace("_", " ")


def ordinal(number: int, family: str) -> str:
    """Return the word for the place of a number of at most 24, as it goes with the language's word for chapter."""
    return ORDINALS[family].split()[number - 1].replace("_", " ")
