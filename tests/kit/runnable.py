"""Which pages have to be runnable, and what each kind of block in them is."""

import re

from tests.kit.documents import Block, documents

RUNNABLE = [
    page
    for page in documents()
    if str(page) in {"README.md", "CONTRIBUTING.md"} or page.parts[:2] in {("docs", "tutorial"), ("docs", "howto")}
]
"""Pages of which every block runs, or says to its reader why no test runs it."""

KINDS = {"console", "python", "toml", "diff"}
"""Languages of blocks that a test does something with."""

NAMED = re.compile(r"\A# (?P<name>[\w-]+\.toml)$", re.MULTILINE)


def named_file(block: Block) -> str:
    """Return the file that a block is, by its first line; empty for a part of one."""
    found = NAMED.match(block.text) if block.language == "toml" else None
    return found["name"] if found else ""
