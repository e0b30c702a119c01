"""Every citation of the contract leads to a heading that exists, and its samples are those the API reproduces."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.kit.documents import ROOT, blocks_of, code, documents, headings_of, text_of

CONTRACT = Path("docs/reference/contract.md")
NUMBER = r"\d+(?:\.\d+)?"
CITATION = re.compile(rf"\bcontract\s(?P<sections>{NUMBER}(?:(?:, |; | and | to ){NUMBER})*)(?:,? rows? (?P<row>\d+))?")
SECTION = re.compile(rf"^(?P<number>{NUMBER})\.? ")
ROW = re.compile(r"^\| (?P<row>\d+) \|", re.MULTILINE)


@cache
def sections() -> frozenset[str]:
    """Return the numbers of the contract's headings."""
    return frozenset(found["number"] for title in headings_of(CONTRACT) if (found := SECTION.match(title)))


def texts() -> Iterator[tuple[str, str]]:
    """Yield what may cite the contract: where it is, and what it says."""
    yield from code()
    for document in documents():
        yield str(document), text_of(document)


def lost_in(text: str) -> list[str]:
    """Return the sections and rows that a text cites and the contract does not have."""
    rows = set(ROW.findall(text_of(CONTRACT)))
    lost = []
    for found in CITATION.finditer(text):
        lost += [number for number in re.findall(NUMBER, found["sections"]) if number not in sections()]
        lost += [f"row {found['row']}"] if found["row"] and found["row"] not in rows else []
    return lost


def test_every_citation_of_the_contract_leads_to_a_heading() -> None:
    cited = {where: lost_in(text) for where, text in texts()}
    assert {where: lost for where, lost in cited.items() if lost and where != "tests/unit/docs/test_citations.py"} == {}


def test_the_contract_is_cited() -> None:
    assert sum(len(CITATION.findall(text)) for _, text in texts()) > 50


@pytest.mark.parametrize("text", ["contract 9", "contract 2.6, 2.7", "contract 1 and 8.1", "contract 6 row 26"])
def test_a_citation_that_leads_nowhere_is_found(text: str) -> None:
    assert len(lost_in(text)) == 1


def test_every_json_sample_that_the_api_must_reproduce_stands_in_the_contract() -> None:
    printed = [json.loads(block.text) for block in blocks_of(CONTRACT) if block.language == "json"]
    golden = {path.stem: json.loads(path.read_text()) for path in (ROOT / "tests/wire/golden").glob("*.json")}
    assert len(golden) > 5
    assert [name for name, sample in golden.items() if sample not in printed] == []


def test_every_text_of_a_code_is_one_that_the_api_says() -> None:
    table = re.search(r"^## 5\. Codes\n(.*?)^## ", text_of(CONTRACT), re.MULTILINE | re.DOTALL)
    assert table is not None
    cells = [
        row.split("|")[3].strip().replace("(...)", "({})") for row in table[1].splitlines() if row.startswith("| ")
    ]
    said = "".join(text for where, text in code() if where.startswith("src/esito/api/"))
    texts_of_codes = [cell for cell in cells[1:] if cell]
    assert len(texts_of_codes) > 15
    assert [text for text in texts_of_codes if f'"{text}"' not in said] == []
