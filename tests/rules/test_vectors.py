"""The predecessor's recorded answers: each holds, or stands in the table with what we answer instead."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rules.answers import ANSWERS
from tests.rules.cycle import recorded
from tests.rules.table import TABLE, Differs, Elsewhere, Waits

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())[
    "vectors"
]
ASKED = [vector for vector in VECTORS if vector["group"] in ANSWERS]


@pytest.mark.parametrize("vector", ASKED, ids=lambda vector: vector["id"])
def test_a_recorded_answer_holds_or_is_decided_otherwise(vector: dict[str, Any]) -> None:
    entry = TABLE.get(vector["id"])
    if isinstance(entry, Waits):
        return
    expected = recorded(vector["expected"]) if vector["group"] == "gating" else vector["expected"]
    answer = ANSWERS[vector["group"]](vector["input"])
    if isinstance(entry, Differs):
        assert answer == entry.ours
        assert answer != expected, "it holds: its line in the table is out of date"
    else:
        assert answer == expected


def test_every_group_is_asked_here_or_elsewhere_or_waits_for_a_feature() -> None:
    groups = {vector["group"] for vector in VECTORS}
    others = {
        name for name, entry in TABLE.items() if isinstance(entry, Elsewhere | Waits) and name in groups
    }
    assert others | ANSWERS.keys() == groups
    assert not others & ANSWERS.keys()


def test_every_line_of_the_table_is_about_a_recorded_answer() -> None:
    assert TABLE.keys() <= {vector["id"] for vector in VECTORS} | {vector["group"] for vector in VECTORS}
