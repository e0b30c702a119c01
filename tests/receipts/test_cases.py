"""Every receipt torture case, end to end, on every kind of store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.stores import KINDS, LOGGED
from tests.receipts.__main__ import main
from tests.receipts.runner import CASES, load
from tests.receipts.table import PAGE, page


@pytest.mark.parametrize("kind", [*KINDS, LOGGED])
@pytest.mark.parametrize("case", load(CASES), ids=lambda case: case["id"])
def test_a_case_holds(case: dict[str, Any], kind: str, played: Callable[[dict[str, Any], str], list[str]]) -> None:
    assert played(case, kind) == []


def test_the_page_of_cases_is_the_file_of_cases() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_case_that_does_not_hold_is_told_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The suite itself can fail: a receipt that says UNDELIV does not end as Delivered."""
    case = load(CASES)[0] | {"expect": {"status": "Not delivered"}}
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"cases": [case]}), encoding="utf-8")
    assert main([str(file)]) == 1
    said = capsys.readouterr().out
    assert "FAIL P01" in said
    assert "status: is {'Delivered'}" in said
