"""Every link of a document leads to a file, and to a heading of it, that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.documents import ROOT, anchor, code, documents, headings_of, prose_of, text_of

LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
NAMED = re.compile(r"(?<![\w/.])(?:docs|benchmarks)/[\w./-]+\.md\b")
"""A document that prose, a comment or a message names by its path."""

CITED = re.compile(r"(?<![\w/.])([a-z-]+\.md)#([a-z0-9-]+)")
"""A heading that code cites: the name of its page, of which there is one, and its anchor."""


def links_of(document: Path) -> Iterator[tuple[Path, str]]:
    for found in LINK.finditer(prose_of(document)):
        path, _, fragment = found["target"].partition("#")
        if "://" not in path:
            target = (ROOT / document.parent / path).resolve() if path else ROOT / document
            yield target, fragment


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_link_leads_somewhere(document: Path) -> None:
    lost = []
    for target, fragment in links_of(document):
        headings = headings_of(target.relative_to(ROOT)) if target.suffix == ".md" and target.exists() else ()
        if not target.exists() or (fragment and fragment not in map(anchor, headings)):
            lost.append(f"{target.relative_to(ROOT)}#{fragment}")
    assert lost == []


def test_every_document_that_is_named_anywhere_exists() -> None:
    texts = [*code(), *((str(document), text_of(document)) for document in documents())]
    named = {(where, name) for where, text in texts for name in NAMED.findall(text)}
    assert len(named) > 10
    assert sorted((path, name) for path, name in named if not (ROOT / name).exists()) == []


def test_every_document_is_reached_from_the_first_page() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            ahead += [target for target, _ in links_of(page.relative_to(ROOT))]
    assert [str(path) for path in documents() if ROOT / path not in reached] == []


def test_every_heading_that_code_cites_exists() -> None:
    pages = {path.name: path for path in documents() if path.parts[0] == "docs" and path.name != "README.md"}
    cited = {(where, *found) for where, text in code() for found in CITED.findall(text)}
    lost = [one for one in cited if one[1] not in pages or one[2] not in map(anchor, headings_of(pages[one[1]]))]
    assert sorted(lost) == []
