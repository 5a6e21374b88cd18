"""Words beside and inside of names, by language: what tells people from places, peoples and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from attrs import frozen

_WOMENS_TITLES = (
    "Mrs Miss Ms Missus Lady Madame Madam Mademoiselle Mistress Aunt Auntie Aunty Sister Princess Queen Countess"
    " Duchess Baroness Marchioness Empress Dame Nurse Grandmother Granny Mother Widow Mme Mlle Comtesse Marquise"
    " Mère Milady Frau Fräulein Gräfin Baronin Prinzessin Fürstin Tante Doña Señora Señorita Sra Condesa Reina"
    " Signora Signorina Donna Contessa Senhora Dona Княжна Княгиня Графиня Госпожа Баронесса"
)
_TITLES = {
    "en": (
        "Mr Mrs Miss Ms Messrs Mister Missus Missis Dr Doctor Sir Lady Lord Madame Madam Monsieur Mademoiselle"
        " Mme Mlle M Captain Capt Colonel Col Major General Gen Lieutenant Lieut Lt Sergeant Serjeant Sergt"
        " Corporal Commander Commodore Admiral Ensign Private Inspector Constable Superintendent Detective Officer"
        " Sheriff Judge Justice Squire Esquire Professor Prof Reverend Rev Canon Dean Bishop Archbishop Father"
        " Friar Brother Sister Mother Abbot Parson Deacon Rabbi Pope Cardinal Aunt Auntie Aunty Uncle Cousin"
        " Grandfather Grandmother Granny Gaffer Goody Goodman Nurse Prince Princess King Queen Emperor Empress"
        " Count Countess Duke Duchess Earl Viscount Marquis Marquess Marchioness Baron Baroness Tsar Czar Sultan"
        " Saint Master Mistress Señor Señora Signor Signora Herr Frau Fräulein Don Doña Dame Governor President"
        " Senator Mayor Chief Widow Massa Marse Hon Honourable Honorable Old"
    ),
    "fr": (
        "M Mme Mlle Monsieur Madame Mademoiselle Mgr Docteur Comte Comtesse Marquis Marquise Père Mère Maître"
        " Abbé Milady Lord"
    ),
    "de": (
        "Herr Herrn Frau Fräulein Doktor Graf Gräfin Baron Baronin Prinz Prinzessin Fürst Fürstin Major Onkel"
        " Tante Vetter"
    ),
    "es": "Don Doña Señor Señora Señorita Sr Sra Fray Capitán Doctor Conde Condesa Rey Reina Padre Madre Maese",
    "it": "Signor Signora Signorina Don Donna Conte Contessa Padre Dottor Dottore",
    "pt": "Senhor Senhora Dom Dona Padre Doutor Conde Capitão",
    "ru": "Князь Княжна Княгиня Граф Графиня Госпожа Господин Барон Баронесса Капитан Генерал",
}
_SPEECH = {
    "en": (
        "said says cried cries replied replies asked asks answered answers exclaimed exclaims returned observed"
        " whispered shouted murmured muttered remarked added continued inquired enquired repeated interrupted"
        " demanded declared stammered gasped growled groaned moaned sobbed sighed laughed rejoined responded"
        " retorted resumed protested suggested insisted admitted agreed assented explained ejaculated screamed"
        " shrieked yelled roared called pleaded urged announced persisted pursued proceeded commented confessed"
        " quoth snapped snarled drawled sneered chuckled grumbled wailed whimpered panted breathed hissed bawled"
        " bellowed echoed faltered vociferated interposed begged objected queried questioned hinted argued thought"
        " wondered mused reflected told"
    ),
    "fr": (
        "dit répondit demanda s'écria s’écria reprit fit murmura cria ajouta répliqua répéta pensa regarda sourit"
        " continua interrompit déclara avait était"
    ),
    "de": (
        "sagte rief fragte antwortete erwiderte meinte lachte nickte sah flüsterte versetzte begann fuhr"
        " sprach dachte lächelte"
    ),
    "es": "dijo respondió preguntó exclamó replicó contestó añadió murmuró gritó pensó miró",
    "it": "disse rispose domandò chiese gridò esclamò soggiunse mormorò pensò guardò",
    "pt": "disse respondeu perguntou exclamou acudiu murmurou gritou pensou replicou",
    "ru": (
        "сказал сказала отвечал отвечала ответил ответила спросил спросила крикнул крикнула проговорил"
        " проговорила думал думала подумал подумала закричал закричала заметил заметила продолжал продолжала"
        " произнес произнесла возразил возразила посмотрел посмотрела смотрел смотрела улыбнулся улыбнулась"
        " воскликнул воскликнула начал начала прибавил прибавила"
    ),
}
_ACTS = {
    "en": (
        "looked smiled nodded laughed turned sat stood rose walked felt knew wished hoped wanted wants loved"
        " loves hated believed feared began begins spoke speaks took gave shook stared gazed glanced frowned"
        " blushed listened heard saw leaned leant stepped stopped paused hesitated sprang jumped ran bowed wept"
        " kissed held seized grasped drew threw flung lifted raised put laid opened entered left came went"
        " followed joined wrote read slept awoke woke ate drank smoked rode danced sang played coughed shivered"
        " trembled shuddered winced grinned scowled started seemed appeared understood remembered forgot decided"
        " resolved determined expected considered supposed suspected imagined preferred refused consented obeyed"
        " promised thanked apologized waited watched noticed perceived recognized recollected regretted longed"
        " tried meant intended who"
    ),
}
_BEINGS = {"en": "had has was is would could did does must might went came can will never always"}
_FAMILIAR = {
    "en": (
        "wife husband sister brother son daughter friend cousin uncle aunt nephew niece mother father dear"
        " dearest poor old little young named servant nurse master mistress maid housekeeper butler lover darling"
    ),
}
_PLACE_WORDS = {
    "en": (
        "in into near through across throughout toward towards via around leaving leave visit visiting reached reaching"
    ),
    "fr": "en dans vers",
    "de": "in nach aus bei",
    "es": "en hacia",
    "it": "in verso",
    "pt": "em para",
    "ru": "в во на из",
}
_NEAR_WORDS = {
    "en": "at to from of",
    "fr": "à de",
    "de": "von zu",
    "es": "a de",
    "it": "a di da",
    "pt": "a de",
    "ru": "к от из",
}
_SOME = {
    "en": (
        "a an another every each no any some two three four five several many few these those such all both other"
        " whole half certain our"
    ),
}
_THE = {
    "en": "the",
    "fr": "le la les",
    "de": "der die das dem den des",
    "es": "el la los las",
    "it": "il la i gli le",
    "pt": "o a os as",
}
_OPENERS = {
    "en": (
        "A About Above Accordingly Across Actually After Afterwards Again Against Ah Aha Alas All Almost Alone"
        " Along Already Also Although Altogether Always Am Amen Amid Among An And Anon Another Any Anybody Anyhow"
        " Anyone Anything Anyway Apart Apparently Are As Aside At Away Ay Aye Bah Be Because Before Behind Behold"
        " Being Below Beneath Beside Besides Better Between Beyond Both But By Bye Can Certainly Clearly Come"
        " Could Curious Damn Dear Dearest Did Do Does Doubtless Down During Each Eh Either Else Enough Even"
        " Evening Ever Every Everybody Everyone Everything Everywhere Evidently Except Exactly Excellent Far"
        " Farewell Few Finally Fine First For Forgive Fortunately Four From Further Generally Gentlemen Get Give"
        " Go God Gone Good Goodbye Great Had Half Hallo Halloa Happily Hardly Has Have Having He Heaven Heavens"
        " Hello Hence Her Here Hers Herself Hey Him Himself His Hitherto Ho How Hullo However Hum Humph Hurrah"
        " Hush I If In Indeed Instead Into Is It Its Itself Just Ladies Last Lastly Later Latterly Least Less Lest"
        " Let Like Likewise Listen Lo Long Look Many Marry Maybe Me Meanwhile Might Mind Mine More Moreover"
        " Morning Most Mostly Much Must My Myself Nay Near Nearly Neither Never Nevertheless Next Night No Nobody"
        " None Nonsense Nor Not Nothing Notwithstanding Now Nowhere O Of Off Often Oh On Once One Only Or Other"
        " Others Otherwise Ought Our Ours Out Over Part Perceiving Perhaps Please Poor Possibly Pray Presently"
        " Probably Quick Quickly Quite Rather Really Right Round Same Say Scarcely Second Secondly See Seeing"
        " Seldom Several Shall She Should Since Sit Six So Some Somebody Somehow Someone Something Sometimes"
        " Somewhat Somewhere Soon Still Stop Strange Such Suddenly Suppose Surely Take Tell Ten Than Thank Thanks"
        " That The Thee Their Theirs Them Themselves Then Thence There Thereafter Thereby Therefore Thereupon"
        " These They Thine Third This Those Thou Though Three Through Throughout Thus Thy Till To Together Too"
        " Toward Towards True Truly Try Turning Twice Two Under Unfortunately Unhappily Unless Until Up Upon Us"
        " Usually Very Wait Was We Welcome Well Were What Whatever When Whence Whenever Where Whereas Whereupon"
        " Wherever Whether Which Whichever While Whither Who Whoever Whom Whose Why With Within Without Wonderful"
        " Would Ye Yea Yes Yesterday Yet You Your Yours Yourself Yourselves Today Tomorrow Tonight Looking Dearie"
        " Et Tut Pooh Pshaw Aren Ain Can’t Don’t Can't Don't Didn Doesn Couldn Won Hadn Hasn Haven Isn Wasn Weren"
        " Wouldn Shan Shouldn I’m I’ll I’ve I’d Chapter Volume Book Canto Stave Contents Preface Introduction"
        " Appendix Epilogue Prologue Letter End Finis Gutenberg Project Illustration Footnote Note Page Editor"
        " Copyright"
    ),
    "fr": "mais et puis alors quand",
    "de": "aber und dann doch als",
    "es": "pero entonces cuando",
    "it": "ma allora quando",
    "ru": "но и тогда когда",
}
_NOBODY = {
    "en": (
        "Sir Madam Madame Ma'am Ma’am Miss Mister Monsieur Mademoiselle Lord Lady Lordship Ladyship Majesty"
        " Majesties Highness Excellency Grace Honour Honor Worship Reverence Holiness Eminence Mamma Mama Mammy"
        " Papa Pa Ma Mum Mummy Dad Daddy Mother Father Aunt Auntie Uncle Grandpa Grandma Grandmamma Grandpapa"
        " Brother Sister Son Boy Girl Man Woman Child Children Friend Friends Men Women People God Gods Lord Jesus"
        " Christ Jesu Almighty Providence Heaven Hell Devil Satan Fate Fortune Nature Death Life Love Time Truth"
        " Justice Reason Virgin Saviour Creator Redeemer Scripture Scriptures Bible Testament Gospel Church"
        " Parliament Congress Senate Government State Crown Court House Commons Peers University College School"
        " Academy Society Bank Company Exchange Opera Theatre Museum Hospital Hotel Inn Club Monday Tuesday"
        " Wednesday Thursday Friday Saturday Sunday January February March April June July August September"
        " October November December Christmas Easter Michaelmas Lent Whitsuntide Midsummer Candlemas Lammas Yule"
        " Thanksgiving Spring Summer Autumn Winter London Paris Rome Venice Florence Naples Vienna Berlin Moscow"
        " Petersburg Madrid Lisbon Constantinople Jerusalem Athens Bath Brighton Oxford Cambridge Edinburgh"
        " Glasgow Dublin Liverpool Manchester Birmingham Bristol Portsmouth Plymouth Dover York Boston Chicago"
        " Philadelphia Washington Baltimore Calais Marseilles Lyons Geneva Brussels Antwerp Amsterdam Hamburg"
        " Calcutta Bombay Cairo Alexandria Babylon Troy Carthage England Scotland Ireland Wales Britain Europe"
        " Asia Africa America Australia France Germany Spain Italy Portugal Holland Belgium Switzerland Austria"
        " Prussia Russia Poland Sweden Norway Denmark Greece Turkey Egypt India China Japan Persia Arabia Syria"
        " Palestine Serbia Montenegro Bulgaria Romania Hungary Bohemia Austria Finland Iceland Siberia Crimea"
        " Normandy Brittany Provence Burgundy Gascony Tuscany Lombardy Sicily Corsica Malta Cyprus Crete Jamaica"
        " Cuba Barbados Australia Tasmania Madagascar Abyssinia Canada Mexico Brazil Peru California Hampshire"
        " Kent Surrey Sussex Devonshire Cornwall Yorkshire Lancashire Derbyshire Hertfordshire Essex Norfolk"
        " Suffolk Somersetshire Dorsetshire Gloucestershire Piccadilly Westminster Chelsea Kensington Mayfair Soho"
        " Bloomsbury Thames Seine Rhine Nile Danube Atlantic Pacific Mediterranean Channel Texas Kansas Kentucky"
        " Ohio Illinois Michigan Wisconsin Minnesota Missouri Tennessee Alabama Louisiana Pennsylvania"
        " Massachusetts Connecticut Maryland Vermont Brooklyn Manhattan Harlem Hollywood Hertford Windsor"
        " Greenwich Richmond Calais Bordeaux Alps Indies Orient West East North South Broadway Virginia English"
        " French German Spanish Italian Portuguese Dutch Russian Polish Prussian Austrian Swiss Greek Latin Roman"
        " Turkish Chinese Japanese Indian American European African Irish Scotch Scottish Welsh British Hebrew"
        " Jewish Arabic Catholic Catholics Protestant Protestants Christian Christians Christianity Jew Jews"
        " Mahometan Puritan Quaker Methodist Englishman Englishmen Englishwoman Frenchman Frenchmen Frenchwoman"
        " Irishman Scotchman Scotsman Dutchman Welshman Russians Germans Italians Austrians Prussians Americans"
        " Indians Greeks Romans Turks Spaniards Cossack Cossacks Europeans Africans Gothic Biblical Shakespearean"
        " Elizabethan Georgian Victorian Revolution Republic Empire Kingdom Whig Tory Tories Whigs Street Road"
        " Lane Square Park Hall Castle Abbey Cottage River Sea Ocean Lake Mount Mountain Hill Valley County Parish"
        " Bridge Sun Moon Earth World Star Post Times Herald Review Gazette Esq Esquire Jr Sr Old Mesdames"
        " Messieurs Messrs Gentleman Gentlemen Ladies Mon Ma Mein Santa Madonna"
    ),
}
_PLACE_NOUNS = {
    "en": (
        "Street Road Lane Square Park Hall Castle Abbey Cottage River Sea Ocean Lake Mount Mountain Hill Hills"
        " Valley County Bridge House Place Court Gardens Garden Terrace Row Crescent Avenue Bay Cape Island"
        " Islands Isle Isles Church Chapel Cathedral Tower Palace Station Hotel Inn Club Theatre Museum Hospital"
        " Prison College School University Academy Office Bank Wood Woods Forest Heath Moor Common Farm Grange"
        " Lodge Manor Priory Rectory Vicarage Parsonage Buildings Building Town City Village Point Head Creek"
        " Coast Harbour Harbor Port Gate Market Society Company Railway Review Magazine Gazette Times Journal Act"
        " Day Eve Year Week Night Morning Evening Room Street’s Boulevard Plaza Pier Wharf Docks Territory"
    ),
}


@frozen
class NameWords:
    """The words that stand beside and in the names of a language, each set as it is written there."""

    titles: frozenset[str]
    speech: frozenset[str]
    acts: frozenset[str]
    beings: frozenset[str]
    familiar: frozenset[str]
    places: frozenset[str]
    near: frozenset[str]
    some: frozenset[str]
    the: frozenset[str]
    openers: frozenset[str]
    nobody: frozenset[str]
    place_nouns: frozenset[str]


_ABBREVIATED = "Mr Mrs Ms Messrs Dr Capt Col Gen Lieut Lt Sergt Prof Rev Hon Mme Mlle M Mgr Sr Sra St"
ABBREVIATED_TITLES = frozenset(_ABBREVIATED.split())
"""Titles behind which a full stop does not end a sentence."""
WOMENS_TITLES = frozenset(_WOMENS_TITLES.split())
"""Titles of women, in all languages."""


def has_name_words(language: str) -> bool:
    """Tell whether the words beside names are known in a language."""
    return language in _SPEECH


@cache
def name_words(language: str) -> NameWords:
    """Return the words beside names of a base language, empty sets where they are not known."""

    def words(table: Mapping[str, str]) -> frozenset[str]:
        return frozenset(table.get(language, "").split())

    return NameWords(
        titles=words(_TITLES),
        speech=words(_SPEECH),
        acts=words(_ACTS),
        beings=words(_BEINGS),
        familiar=words(_FAMILIAR),
        places=words(_PLACE_WORDS),
        near=words(_NEAR_WORDS),
        some=words(_SOME),
        the=words(_THE),
        openers=frozenset(word[:1].upper() + word[1:] for word in words(_OPENERS)),
        nobody=words(_NOBODY),
        place_nouns=words(_PLACE_NOUNS),
    )
