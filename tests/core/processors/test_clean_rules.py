"""Junk rules are data: read from TOML, checked with a clear word for whatever is wrong, and tried on examples."""

from __future__ import annotations

import pytest

from novel_tasks_core.processors.clean.rules import (
    JunkRule,
    RuleError,
    Screen,
    chosen_rules,
    read_rules,
    shipped_rules,
)

RULE = '[[rule]]\nid = "own"\nkind = "line"\npattern = "buy .*"\n'


def changed(rule: JunkRule, line: str) -> bool:
    """Tell whether a rule takes anything out of a line, found by its hints as in a text."""
    text = f"before\n{line}\nafter"
    places = list(rule.lines_of_interest(text, text.lower()))
    return any(rule.cleaned(text[start:end]) != text[start:end] for start, end in places)


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.id)
def test_every_shipped_rule_does_what_its_examples_say(rule: JunkRule) -> None:
    """It has examples of both kinds and a reason, finds the junk, and leaves the rest alone."""
    assert rule.why
    assert rule.drops
    assert rule.keeps
    assert [line for line in rule.drops if not changed(rule, line)] == []
    assert [line for line in rule.keeps if changed(rule, line)] == []


def test_no_shipped_rule_touches_what_another_keeps() -> None:
    """The examples of prose are prose to all rules."""
    kept = [line for rule in shipped_rules() for line in rule.keeps if "www" not in line]

    assert [(rule.id, line) for rule in shipped_rules() for line in kept if changed(rule, line)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]", "not TOML"),
        ("rules = 1", "must hold [[rule]] tables"),
        ("rule = 1", "must hold [[rule]] tables"),
        ('[[rule]]\nkind = "line"\npattern = "a"', "rule 1 has no id"),
        (RULE.replace("line", "word"), "rule 'own': kind must be line or span, not 'word'"),
        (RULE.replace("own", "Own!"), "an id has small letters"),
        (RULE + "speed = 1", "unknown field 'speed'"),
        (RULE + 'hints = "buy"', "hints must be a list of texts"),
        (RULE + 'hints = ["Buy"]', "hints are texts in small letters"),
        (RULE.replace("buy .*", "("), "not a regular expression"),
        (RULE.replace("buy .*", "a" * 2001), "more than 2,000 characters"),
        (RULE.replace("buy .*", "x*"), "matches the empty text"),
        (RULE.replace("line", "span") + 'replace = "\\\\2"', "not a regular expression"),
        (RULE + RULE, "two rules have the id 'own'"),
        (RULE * 501, "501 rules are more than 500"),
    ],
)
def test_a_wrong_rule_is_named_with_its_fault(text: str, said: str) -> None:
    """Which rule, what is wrong, and what would be right."""
    with pytest.raises(RuleError) as caught:
        read_rules(text)
    assert said in str(caught.value)


def test_rules_are_chosen_by_language_and_can_be_switched_off() -> None:
    """A user's own come last; those of other languages are left out."""
    english = [rule.id for rule in chosen_rules(RULE, ("html-tag",), "en")]

    assert english[-1] == "own"
    assert "html-tag" not in english
    assert not [id_ for id_ in english if id_.startswith("zh")]
    assert "zh-votes" in [rule.id for rule in chosen_rules("", (), "zh-Hant")]


def test_lines_of_interest_are_found_once_each_and_in_order() -> None:
    """However many hints a line has; without hints every line is looked at."""
    [rule] = read_rules(RULE + 'hints = ["buy", "now"]')
    text = "buy it now\nno\nnow\n"

    assert [text[start:end] for start, end in rule.lines_of_interest(text, text)] == ["buy it now", "now"]
    [every] = read_rules(RULE)
    assert [text[start:end] for start, end in every.lines_of_interest(text, text)] == ["buy it now", "no", "now", ""]


def test_the_screen_misses_no_rule() -> None:
    """Whatever example a rule drops, the rule is among those worth a look."""
    screen = Screen(shipped_rules())

    examples = [(rule, line) for rule in shipped_rules() for line in rule.drops]
    missed = [line for rule, line in examples if rule not in screen.worth_a_look(line.lower())]
    assert missed == []
    assert len(screen.worth_a_look("他划着船")) < len(shipped_rules())
