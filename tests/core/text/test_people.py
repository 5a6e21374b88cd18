"""Who is named: names of one person are joined, and what is no person is left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from novel_tasks_core import read_novel
from novel_tasks_core.text.appearances import Appearances, Attendance, Person
from novel_tasks_core.text.measures import BookMeasures, Measuring, measure
from novel_tasks_core.text.names import MENTIONS, Cast, CastMember, NameEvidence
from novel_tasks_core.text.novel import Section
from novel_tasks_core.text.people import EuropeanNames, knows_names

FILLER = "The rain fell on the roof, and the wind was in the trees; nobody spoke for a long while.\n\n"


def people(*lines: str, times: int = 4) -> dict[str, set[str]]:
    """Return the people of a book of these lines, each with all their names."""
    book = measure(read_novel((("\n\n".join(lines) + "\n\n" + FILLER) * times).encode()))
    assert book.people is not None
    return {person.name: {person.name, *person.aliases} for person in book.people}


def names_of(*lines: str, times: int = 4) -> list[set[str]]:
    """Return the names of each person of a book of these lines."""
    return list(people(*lines, times=times).values())


def test_those_who_speak_and_act_are_people() -> None:
    """By a verb of speech before or behind the name, a deed, an address or a title."""
    found = people(
        '"Good evening," said Harker. Ludlow laughed. "Sit down, Brand," he said. Then Mr. Pole went out.',
        '"And you, Brand?" cried Harker. Ludlow nodded, and Mr. Pole came in with Brand.',
    )

    assert set(found) == {"Harker", "Ludlow", "Brand", "Mr. Pole"}


def test_places_and_peoples_and_days_are_not() -> None:
    """Whatever stands behind "in" and "to", is a town known to all, or has a plural."""
    found = people(
        '"It is far," said Harker. They went to Netherby on Monday, and from Netherby to London.',
        "In Netherby it rained.",
        '"At Netherby?" said Harker. The Englishmen at Netherby spoke French at Christmas. Harker laughed at Netherby.',
        "The Harkers lived in Park Lane, near Netherby Hall. An Englishman laughed.",
    )

    assert set(found) == {"Harker"}


def test_words_that_only_begin_sentences_are_no_part_of_a_name() -> None:
    """They are written small elsewhere, or are known to open sentences."""
    found = people(
        "Presently Harker laughed. But Harker said nothing. Presently he went; presently it rained, and presently it"
        ' stopped. "When Harker comes," said Ludlow, "Harker will tell us."'
    )

    assert all(name in ("Harker", "Ludlow") for names in found.values() for name in names)


def test_people_with_common_names_are_known_by_the() -> None:
    """The Hatter and the White Rabbit speak; the Pool and the Time do not."""
    found = names_of(
        '"Tea," said the Hatter. The White Rabbit looked at his watch. "Late," said the Rabbit to the Hatter.',
        '"Time?" said the Hatter, and the Rabbit sighed at the Pool of the House, and the Hatter sighed.',
    )

    assert {"Hatter"} in found
    assert {"White Rabbit", "Rabbit"} in found
    assert len(found) == 2


@pytest.mark.parametrize(
    ("lines", "together"),
    [
        (
            ['"Yes," said Jane Porter. Jane laughed. "No, Miss Porter," said he.'],
            {"Jane Porter", "Jane", "Miss Porter"},
        ),
        (['"Yes," said Elizabeth Lane. "Lizzy!" cried he; and Lizzy laughed.'], {"Elizabeth Lane", "Lizzy"}),
        (['"Yes," said Mr. Tom Porter. Tom laughed, and Porter laughed.'], {"Mr. Tom Porter", "Tom", "Porter"}),
        (['"Yes," said J. G. Porter. Mr. Porter laughed.'], {"J. G. Porter", "Mr. Porter"}),
        (['"Yes," said Prince Andrew. Andrew laughed. Prince Andrew slept.'], {"Prince Andrew", "Andrew"}),
        (['"Yes," said Admiral Crane. The Admiral laughed.'], {"Admiral Crane", "Admiral"}),
        (['"Yes," said Lord St. John. St. John laughed.'], {"Lord St. John", "St. John"}),
        (["\"Yes,\" said O'Brien. Mr. O'Brien laughed, and O'Brien's hat fell."], {"O'Brien", "Mr. O'Brien"}),
    ],
)
def test_names_of_one_person_are_joined(lines: list[str], together: set[str]) -> None:
    """Full, titled, short and bare names."""
    assert together in names_of(*lines)


@pytest.mark.parametrize(
    ("lines", "apart"),
    [
        (
            ['"Yes," said Mr. Lane. Mrs. Lane laughed, and Miss Lane laughed.'],
            ["Mr. Lane", "Mrs. Lane", "Miss Lane"],
        ),
        (['"Yes," said Dr. Grant. Mrs. Grant laughed. Dr. Grant slept.'], ["Dr. Grant", "Mrs. Grant"]),
        (['"Yes," said Lady Lucas. Miss Lucas laughed, and Charlotte Lucas spoke.'], ["Lady Lucas", "Miss Lucas"]),
        (['"Yes," said Captain Holm. General Holm laughed.'], ["Captain Holm", "General Holm"]),
        (['"Yes," said William Cole. Sir William laughed. Mr. Cole sat.'], ["William Cole", "Sir William"]),
        (['"Yes," said Colonel Arthur. Arthur Dale laughed.'], ["Colonel Arthur", "Arthur Dale"]),
        (['John Dale laughed. "Yes," said Mrs. John Dale. Mrs. John Dale sat.'], ["John Dale", "Mrs. John Dale"]),
    ],
)
def test_names_of_several_people_are_not(lines: list[str], apart: list[str]) -> None:
    """Husband and wife, mother and daughter, two of different rank."""
    found = names_of(*lines)
    groups = [next(n for n, names in enumerate(found) if part in names) for part in apart]

    assert len(set(groups)) == len(apart)


@pytest.mark.parametrize(
    ("lines", "together"),
    [
        (['"Yes," said Dr. Kemp. Doctor Kemp laughed. "Mr. Kemp!" cried he.'], {"Dr. Kemp", "Doctor Kemp", "Mr. Kemp"}),
        (['"Yes," said Guy de Vere. Monsieur de Vere laughed.'], {"Guy de Vere", "Monsieur de Vere"}),
        (['"Yes," said May Lane. May laughed. "May I come, May?" said he.'], {"May Lane", "May"}),
        (["\"Yes,\" said d'Avray. He saw D'Avray, and d’Avray laughed."], {"d'Avray"}),
        (['"Yes," said Mrs. Long. Mrs. Long laughed.'], {"Mrs. Long"}),
    ],
)
def test_titles_particles_and_odd_names(lines: list[str], together: set[str]) -> None:
    """A title in full or short, "de", and names that are also words that open sentences."""
    assert together in names_of(*lines)


def test_a_short_form_is_not_who_is_called_by_title() -> None:
    """Tom is the son of Mr. Thomas Grade, whom nobody calls Thomas."""
    found = people('"Yes," said Mr. Thomas Grade. Mr. Grade laughed, and Mr. Grade sat. "No," said Tom. Tom laughed.')

    assert "Tom" in found
    assert "Mr. Grade" in found


def test_a_mother_is_not_her_daughter() -> None:
    """Where somebody is Miss, Mrs. is another, however often the daughter is named."""
    found = names_of(
        '"Yes," said Kate Hill. Kate laughed, and Kate sat. Kate spoke.',
        '"No," said Mrs. Hill. Mrs. Hill laughed. Miss Hill sat.',
    )

    assert {"Mrs. Hill"} in found


def test_the_eldest_sister_is_miss() -> None:
    """Who is called Miss with her first name is not the one who is called so with the surname alone."""
    found = names_of(
        '"Yes," said Jane Lane. Mary Lane laughed. "Miss Mary," said he. Miss Lane and Jane sat. Mary sat.'
    )

    assert {"Jane Lane", "Jane", "Miss Lane"} in found


def test_a_name_is_shown_as_it_is_mostly_written() -> None:
    """And the most mentioned person comes first."""
    found = people('"Yes," said Mr. Porter. Mr. Porter laughed. Tom Porter sat. "No," said Anna.')

    assert next(iter(found)) == "Mr. Porter"


def test_russian_verbs_tell_people() -> None:
    """The words of other languages are tables too."""
    found = people(
        "— Да, — сказал Базаров. Базаров улыбнулся. Аркадий посмотрел в окно. — Нет, — сказал Аркадий.", times=20
    )

    assert {"Базаров", "Аркадий"} <= set(found)


def test_languages_without_known_words_are_not_available() -> None:
    """Nothing is claimed where no verb of speech is known."""
    assert not knows_names("zh-Hans")
    assert not knows_names("xx")
    assert knows_names("en-GB")


def test_only_who_is_there_meets() -> None:
    """Who is only spoken of is not in the scene; who is addressed is."""
    names = EuropeanNames("en")
    text = '"Where is Ludlow, Brand?" said Harker.'
    spoken = [(1, text.rindex('"'))]

    assert names.find(text, spoken).scenes == [("Brand", "Harker")]


def test_evidence_is_the_same_from_json() -> None:
    """It can be stored and added up again."""
    evidence = EuropeanNames("en").find('"Yes," said Harker in London. Ludlow laughed.', [(1, 5)])

    assert NameEvidence.from_json(json.loads(json.dumps(evidence.as_json()))) == evidence


def test_rare_names_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names a book has, memory is bounded, and frequent ones stay."""
    monkeypatch.setattr("novel_tasks_core.text.names._MOST_NAMES", 100)
    total = NameEvidence()
    for start in range(0, 1000, 50):
        total.add(NameEvidence({MENTIONS: Counter({f"N{n}": 1 for n in range(start, start + 50)} | {"Holt": 5})}))

    assert len(total.mentions) <= 100
    assert total.mentions["Holt"] == 100


def test_appearances_are_pairs_of_section_and_count() -> None:
    """Sections in which nothing happens are not there."""
    cast = Cast(
        (CastMember("Holt", ("Mr. Holt",), 6), CastMember("Anna", (), 2)), {"Holt": 0, "Mr. Holt": 0, "Anna": 1}
    )
    attendance = Attendance(cast)
    attendance.note(0, NameEvidence({MENTIONS: Counter({"Holt": 2, "Mr. Holt": 1})}, [("Holt", "Mr. Holt")]))
    attendance.note(1, NameEvidence({MENTIONS: Counter({"Nobody": 2})}))
    attendance.note(
        2, NameEvidence({MENTIONS: Counter({"Holt": 3, "Anna": 2})}, [("Anna", "Holt"), ("Anna", "Mr. Holt")])
    )

    holt, anna = attendance.people()
    assert (list(holt.by_chapter), list(anna.by_chapter)) == ([(0, 3), (2, 3)], [(2, 2)])
    assert (holt.by_chapter.first, holt.by_chapter.last, len(holt.by_chapter)) == (0, 2, 2)
    (meeting,) = attendance.meetings()
    assert (meeting.first, meeting.second, meeting.chapters, meeting.scenes) == ("Holt", "Anna", 1, 2)
    assert Person("Holt", 6, Appearances.of((0, 3))).as_json()["by_chapter"] == [[0, 3]]


def pieces_of(text: str, size: int) -> BookMeasures:
    """Measure a text as one section, in pieces of a size."""
    novel = read_novel(text.encode())

    class Whole:
        language = novel.language
        sections = novel.chapters

        def sample(self) -> str:
            return text

        def pieces(self, section: Section, *, characters: int) -> Iterator[str]:
            yield text

    measuring = Measuring(Whole())
    (section,) = measuring.sections
    record = measuring.section(section, (text[at : at + size] for at in range(0, len(text), size)))
    measuring.add(json.loads(json.dumps(record)))
    return measuring.book([record], [])


def test_a_section_is_the_same_in_any_pieces() -> None:
    """Nothing that stands in a paragraph is cut by the end of a piece."""
    text = ('"Come in, Miss Reed,"\nsaid Harker. She laughed, and Harker\nlaughed. It was late.\n\n' + FILLER) * 300

    whole, parts = pieces_of(text, len(text)), pieces_of(text, 1000)

    for name in ("characters", "words", "sentences", "paragraphs", "dialogue_share", "readability", "different_words"):
        assert getattr(parts, name) == getattr(whole, name), name
    assert parts.people == whole.people
