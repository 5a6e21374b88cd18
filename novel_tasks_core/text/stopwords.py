"""The small words of languages in Latin and Cyrillic letters, by which they are told apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

_LATIN_WORDS = {
    "en": "the and of to in was he that it his you with had for her she not but at be is they him this from were which "
    "as on have are an or by all who what there been would one their we when so no my said if up out about shall",
    "fr": "le la les de des et un une que qui dans ce il elle ne pas vous se du en son est pour sur avec au par était "
    "à je mais plus on sa ses nous tout comme sans lui même ou où aux cette ces être fait bien droit toute leur si",
    "de": "der die das und ich nicht ist ein eine zu sie er es den mit sich war dem von auf so wie auch aber daß hatte "
    "dass im als an des in einen einer haben nach noch wenn nur aus bei für zum wird oder durch über seine seiner um",
    "es": "el la los las de que y en un una no se su por con lo le del al como más pero era había para don él "
    "a es o sus si sin muy ya me todo toda todos cuando este esta fue ha ser yo mi sobre entre hasta derecho persona",
    "it": "la il di che e non un una per con si del della gli era lo sono nel da ma al le dei alla più come anche "
    "i in a è ha ho suo sua se delle mi ci cui nella dal questo questa o ogni diritto degli essere aveva così dalla",
    "pt": "o a os as de que e do em da um uma não se com por para no na ao dos mais era lhe como mas seu ele ela "
    "à das sua foi ou ser eu seus sem nem já muito quando pela pelo à às até tem são todo toda isso direito num numa",
    "gl": "o a os as de que e do en da un unha non se con por para no na ao dos máis era lle como pero seu el ela "
    "das súa foi ou ser eu seus sen nin xa moi cando pola polo ás ata ten son todo toda iso dereito nun nunha á teñen",
    "nl": "de het een en van ik niet dat te zijn hij was op met voor zij maar er aan haar naar ook had om hem die "
    "in is of als door heeft hebben bij uit werd worden nog dan zich wordt deze tot geen ze over wat zo zou mijn ieder",
    "af": "die en van nie het is ek dat te sy hy was op met vir maar aan haar na ook om hom in 'n of as deur "
    "by uit word nog dan hierdie tot geen oor wat so sou my reg hulle ons elke enige wees ander elkeen hulle gehad nou",
    "sv": "och det att en som han på är av inte för med den var till jag hon hade de ett sig så om men från i "
    "har vid sin man kan eller ut mig dem när efter skall denna mot över hans hennes blev utan ej där rätt varje under",
    "da": "og det at en som han på er af ikke for med den var til jeg hun havde de et sig så om men fra der i "
    "har ved sin kan eller ud mig dem når efter skal denne mod over hans hendes blev uden da hvor ret enhver under "
    "blive være nogen meget kun hvad hvis mellem selv alle være efter kunne ville",
    "no": "og det at en som han på er av ikke for med den var til jeg hun hadde de et seg så om men fra der i "
    "har ved sin kan eller ut meg dem når etter skal denne mot over hans hennes ble uten da hvor rett enhver under bli "
    "være noen meget bare hva hvis mellom selv alle etter kunne ville også inn noe frem blir sine",
    "is": "og það að en sem hann á er af ekki fyrir með var til ég hún hafði þeir sig svo um frá í við sinn eða út mig "
    "þegar eftir skal þessi hans hennar án þar hver eða ef þó öllum hvers manns réttur rétt skulu vera því þá þess",
    "fi": "ja on ei se hän oli että kun niin mutta ollut minä sen hänen mitä joka kuin sitä siitä nyt vain jo "
    "ovat olla tai sekä kaikki ole hän oikeus myös jos sinä me mukaan jonka heidän tämä tämän hänelle jokaisella",
    "et": "ja on ei see ta oli et kui nii aga mis ma oma tema seda veel siis ka või kes ning mida selle nende kõik "
    "olema iga õigus peab pole mina tuleb välja üle üks temale ole juba pärast nagu poolt igal inimesel",
    "pl": "i w nie na się z do to że jak jest od po za co był ale tak o jego by już tylko pan dla "
    "a przez ma lub oraz jej ich czy kiedy mnie mu przed ze tym są tego gdy bez pod każdy prawo może być bardzo",
    "cs": "a se na v že je to s z do jako ale by jsem si tak byl ve co jeho po však už pan který "
    "i o k za od nebo být ne jen kde když má ani pro byla jsou při své svého každý právo jeho bez nad před ze",
    "sk": "a sa na v že je to s z do ako ale by som si tak bol vo čo jeho po však už pán ktorý "
    "i o k za od alebo byť nie len kde keď má ani pre bola sú pri svoje svojho každý právo bez nad pred zo aj ktoré",
    "hr": "i u je se na da za s od su koji ne to nije bio što kao ali iz po ili sve bi joj ga mu sam smo biti svoje "
    "svatko pravo ima svoj kako ako nego samo kad još te koja koje te prije njegov njegova bez pod pred nitko svake",
    "sl": "in je v se na da za s od so ki ne to ni bil kar kot ali iz po vse bi ga mu sem smo biti svoje vsak pravico "
    "ima svoj kako če le ko še tudi pa ter pri z njegov brez pod pred nihče kakor pravica katera bodo imajo bila nje",
    "hu": "a az és hogy nem egy is volt meg de ez ha csak már mint még el azt aki vagy mert ki "
    "minden van joga sem kell olyan ezt ennek nincs amely valamint ő én mi fel le be után között joga alatt kell neki",
    "ro": "și de la în nu o că cu pe a se un mai din ce să care era am pentru lui ca "
    "este al sau ale orice dreptul dar prin sunt fi ei el ea fără sa său până cum după decât fost au acest toate nici",
    "tr": "bir ve bu da de ne için o gibi çok ama daha ben her var kadar sonra diye mi ki "
    "ile olan veya hakkı değil olarak şey en onun bana kendi sen ise dedi olduğu bütün herkes ya iki hiç etmek",
    "lt": "ir yra į kad ne su iš tai kaip bet buvo jis jo ji apie tik per už ar nuo savo po visi turi teisę ant "
    "to jos aš jau dar labai ką kas būti tų gali kiekvienas žmogus bei pagal prie be taip kai jam mano arba jų",
    "lv": "un ir uz ka ne ar no tas kā bet bija viņš viņa par tik vai pie savu pēc visi tiesības es jau vēl ļoti kas "
    "būt to katram ikvienam cilvēkam tiek bez kad viņam man kura šo savas lai nav var arī jeb tā viņu jo nevar",
    "la": "et in est non ad ut cum sed qui quod si ex quae esse ab enim hoc atque autem nec "
    "per sunt ac aut quam eius omnes pro sibi iam ille sine neque erat de tamen vel suis nihil quo omnibus ius habet",
    "ca": "el la els les de que i en un una no es va amb per del al com més però era li seva "
    "a o tota tot persona dret té seu seus sense ser són hi jo ni aquest aquesta ha pel dels als molt quan on si fou",
    "eo": "la kaj de en estas al ne kiu li ke por kun sed mi ĝi kiel oni ili tiu estis pri el per sia rajton ĉiu havas "
    "aŭ kiuj tio ni ŝi vi unu sen inter nur homo jam kiam tre ol lia ĉi tiuj sub estu iu sin laŭ aliaj tiel",
    "eu": "eta da ez bat zen du dira bere ere izan egin dela hori baina zuen ditu edo zuten bai dute oso gabe gizon "
    "eskubidea giza guztiek beste hau dituen den egiteko horrek zer bezala izango nahi dago ezin zer baten",
    "sq": "dhe të e në i për me një nga që nuk është si ka u se ose do kjo ai ajo ishte por më kur çdo kush drejtë "
    "gjithë tij saj mbi pa duke ku ta asnjë janë këtë prej tyre ndaj njeri kanë sipas këtij ndonjë",
    "ga": "an na agus ar is a go le ag sé sí ní do i bhí de ach mar tá gach as ó chun leis nach féin aige den sin "
    "ceart duine aon nó cearta bheith san chuig gur air sa mé tú faoi éigin dá lena ina cén daoine atá",
    "cy": "y yr a ac i o yn ar mae ei gan ond eu nid am fel oedd at wrth pob hawl gan sydd hyn neu bod un hwn hi ef "
    "na ni cael nad dros heb rhag fod wedi rhaid ddim dyn fy mewn iddo trwy ganddo yw hynny unrhyw neb",
    "vi": "và của là có một không người trong cho đã được những với này các đến anh ông "
    "quyền mọi bất đều như ra khi tôi cô về lại thì mà ở hay hoặc bị phải nào cũng sự do vào nhân",
    "id": "yang dan di itu dengan dia untuk tidak ini dari dalam akan pada orang saya telah mereka "
    "atau oleh setiap berhak sebagai hak dapat ada juga ia karena sudah bisa tersebut kepada adalah seperti maupun",
    "tl": "ang ng sa na at mga ay ako si hindi siya ko kung ito may nang kanyang bawat tao karapatan isang para walang "
    "o kaniyang lahat niya dapat sinuman pagkakaroon nito iyon naman pa lang ka mo tayo sila kami ba din rin wala",
}
_LATIN_LETTERS = {
    "de": "ßäü", "es": "ñ¿¡", "pt": "ãõ", "fr": "œêèçû", "pl": "łąężśźń", "cs": "řůěž", "sk": "ľĺŕôťď", "hu": "őű",
    "ro": "țșăţş", "tr": "ışğ", "sv": "äö", "da": "æø", "no": "æø", "is": "ðþ", "vi": "đơư", "hr": "đćčš", "sl": "čš",
    "lt": "ėųįūęą", "lv": "āēīūņļķģ", "et": "õäü", "fi": "ä", "eo": "ĉĝĥĵŝŭ", "sq": "ë",
}  # fmt: skip
_CYRILLIC_WORDS = {
    "ru": "и в не на что он с как это по но все она так его за был от бы же у из то ее мы ты вы я к ему мне было уже "
    "меня когда только еще ещё всё её нет если или для до чтобы который были была под чем себя о об при человек право",
    "uk": "і в не на що він з як це по але все вона так його за був від би ж у із до її ми ти ви я та й було вже мене "
    "коли тільки ще якщо або для є щоб який були була під ніж себе про при бо чи та має право людина їх йому них",
    "be": "і ў не на што ён з як гэта па але ўсё яна так яго за быў ад бы ж у да яе мы ты вы я было ўжо мяне калі "
    "толькі яшчэ ці для каб які былі была пад чым сябе аб пры мае права чалавек або кожны іх яму мець павінна",
    "bg": "и в не на че той с като това по но все тя така го за беше от би да се у ще ни те аз към му ми вече когато "
    "само още или до си са съм при без под си който която което има право всеки човек тази този със бил му я бе е",
    "sr": "и у не на да он се као то је по али све она тако га за био од би ће су из ми ти ви ја му ме кад само још "
    "или до који која које има право свако бити са без под шта што ни већ била његов није нису сам своје о",
    "mk": "и во не на дека тој се како тоа е по но сè таа така го за беше од би ќе да ги ние ти вие јас му ми кога "
    "само уште или до кој која кое има право секој со без под што ни веќе биде неговата не сум својата нејзиниот тие",
}
_CYRILLIC_LETTERS = {
    "ru": "ыэёщъѣ", "uk": "їєґіщ", "be": "ўіыэё", "bg": "ъщ", "sr": "ђћјљњџ", "mk": "ѓќѕјљњџ",
}  # fmt: skip
_WORTH_OF_LETTER = 0.5
_LATIN_WORD = re.compile("'?[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_CYRILLIC_WORD = re.compile("[\u0400-\u04ff]+")
_LEAST = 0.03
_SURE = 1.3
_MANY = 40


class Vocabulary:
    """The small words and the peculiar letters of languages that share a script."""

    def __init__(self, word: re.Pattern[str], words: Mapping[str, str], letters: Mapping[str, str]) -> None:
        self._word = word
        self.languages = tuple(words)
        """All that can be told apart, the widely read ones first."""
        self._spoken = _shared({language: listed.split() for language, listed in words.items()})
        self._written = _shared(letters)

    def scores(self, text: str) -> list[tuple[float, str]]:
        """Return (score, language), best first: what share of a text's words are small words of it, and its letters.

        Works on a text whose letters beyond ASCII are lost, too.
        """
        lowered = text.lower()
        words = Counter(self._word.findall(lowered))
        scores = dict.fromkeys(self.languages, 0.0)
        for word, count in words.items():
            for language, worth in self._spoken.get(word, ()):
                scores[language] += count * worth
        for letter, languages in self._written.items():
            if letter in lowered:
                for language, worth in languages:
                    scores[language] += lowered.count(letter) * worth * _WORTH_OF_LETTER
        total = sum(words.values()) or 1
        return sorted(((score / total, language) for language, score in scores.items()), key=lambda one: -one[0])

    def language(self, text: str) -> tuple[str, bool]:
        """Return the language that a text is most likely in, "und" for none; and whether that is sure."""
        (score, best), (second, _) = self.scores(text)[:2]
        many = text.count(" ") >= _MANY
        return (best, many and score > _SURE * second) if score >= _LEAST else ("und", False)


def _shared(parts: Mapping[str, Iterable[str]]) -> dict[str, list[tuple[str, float]]]:
    """Return for every word or letter the languages that have it: the fewer, the more it tells."""
    spoken: dict[str, set[str]] = defaultdict(set)
    for language, listed in parts.items():
        for part in listed:
            spoken[part].add(language)
    return {part: [(one, 1.0 / len(languages)) for one in sorted(languages)] for part, languages in spoken.items()}


LATIN = Vocabulary(_LATIN_WORD, _LATIN_WORDS, _LATIN_LETTERS)
"""The languages in Latin letters."""
CYRILLIC = Vocabulary(_CYRILLIC_WORD, _CYRILLIC_WORDS, _CYRILLIC_LETTERS)
"""The languages in Cyrillic letters."""


def spelled_out(text: str, languages: Sequence[str]) -> str | None:
    """Return for which of some languages, the likeliest first, the letters of a short text speak.

    None without the extra `lang`. Only the models of these languages are loaded, in the mode that needs least memory.
    """
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ImportError:
        return None
    codes = {"no": "nb"}
    known = {language.iso_code_639_1.name.lower(): language for language in Language.all()}
    wanted = [codes.get(language, language) for language in languages]
    asked = [known[code] for code in wanted if code in known]
    if len(asked) < 2 or wanted[0] not in known:
        return None
    detector = LanguageDetectorBuilder.from_languages(*asked).with_low_accuracy_mode().build()
    found = detector.detect_language_of(text)
    if found is None:
        return None
    code: str = found.iso_code_639_1.name.lower()
    return "no" if code == "nb" else code
