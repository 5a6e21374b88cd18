"""Sentences that know which rule is broken."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from novel_tasks_core import Complaint, FaultCode, InvalidInputError


def test_a_complaint_is_its_sentence() -> None:
    """Whoever wants only the text has it: in messages, in JSON, compared with others."""
    said = Complaint("must be at most 3", FaultCode.MAXIMUM, limit=3)

    assert said == "must be at most 3"
    assert str(InvalidInputError("priority", said)) == "priority: must be at most 3"
    assert json.dumps(said) == '"must be at most 3"'


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda said: pickle.loads(pickle.dumps(said))])
def test_a_complaint_knows_its_rule_wherever_it_goes(copied: object) -> None:
    """Copied, or sent to another process."""
    assert callable(copied)
    said = copied(Complaint("must be at most 3", FaultCode.MAXIMUM, limit=3))

    assert (said.code, said.values) == (FaultCode.MAXIMUM, {"limit": 3})


def test_what_is_said_becomes_a_complaint_once() -> None:
    """A plain sentence has no code; a complaint keeps its own."""
    said = Complaint("must be at most 3", FaultCode.MAXIMUM, limit=3)

    assert Complaint.of(said) is said
    assert (Complaint.of("no").code, dict(Complaint.of("no").values)) == (None, {})
