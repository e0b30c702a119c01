"""The documents of the project: their files, headings and code blocks."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

FENCE = re.compile(
    r"^(?P<margin> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=margin)``` *$", re.MULTILINE | re.DOTALL
)
EXCUSE = re.compile(r"^ *\*Not run by the tests: (?P<reason>[^*]+)\*\s*\Z", re.MULTILINE)
"""Stands before a block, for readers too."""
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block of a document."""

    document: Path
    line: int
    language: str
    text: str
    excuse: str
    """Why no test runs it; empty: one does."""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@cache
def documents() -> tuple[Path, ...]:
    """Return every document of the project, by its path from the root."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def text_of(document: Path) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def prose_of(document: Path) -> str:
    """Return a document without its code blocks."""
    return FENCE.sub("", text_of(document))


@cache
def headings_of(document: Path) -> tuple[str, ...]:
    return tuple(found["title"] for found in HEADING.finditer(prose_of(document)))


def anchor(title: str) -> str:
    """Return the fragment by which a heading is linked to, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@cache
def blocks_of(document: Path) -> tuple[Block, ...]:
    """Return the code blocks of a document, in their order."""
    text, found = text_of(document), []
    for fence in FENCE.finditer(text):
        excuse = EXCUSE.search(text, 0, fence.start())
        found.append(
            Block(
                document=document,
                line=text.count("\n", 0, fence.start()) + 1,
                language=fence["language"],
                text=dedent(fence["text"]),
                excuse=excuse["reason"] if excuse else "",
            )
        )
    return tuple(found)


@cache
def code() -> tuple[tuple[str, str], ...]:
    """Return every file of the code by its path, with its text."""
    folders = [ROOT / room for room in ("src", "tests", "benchmarks", "scripts")]
    files = (
        path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".sql", ".toml"}
    )
    return tuple((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in files)
