"""A function that takes a text apart is one that the readers of `tests/growth/readers.py` call, or is named here."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.growth.readers import READERS

SOURCE = Path(__file__).parents[2] / "src" / "esito"

ROOMS = ("api", "receipt_log", "client", "domain", "smpp", "webhooks", "logs.py")
"""Where texts of strangers are read; the others are given what these have read, or the administrator's own words."""

TAKES_APART = frozenset(
    {"split", "rsplit", "splitlines", "partition", "rpartition", "translate", "normalize", "casefold", "loads"}
    | {"fullmatch", "match", "search", "sub", "finditer", "findall", "fromisoformat", "strptime", "fromstring"}
    | {"unpack_from", "from_bytes", "urlsplit", "ip_address", "unquote", "decompress"}
)
"""What is called on a text to read it."""

NOT_FOREIGN = {
    "api/http/response.py": {"json_of", "success_with_list"},  # our own answer
    "api/http/endpoint.py": {"summary_of"},
    "api/http/docs_page.py": {"_answers", "_inputs", "_prose"},  # the documentation
    "api/http/openapi.py": {"_operation"},
    "api/http/app.py": {"_find"},  # a path by patterns of pieces without a slash, as `path` reads one
    "api/http/idempotency.py": {"_answered"},  # what we kept ourselves
    "api/v1/statistics.py": {"_item"},
    "api/v2/orphan_list.py": {"_item", "_numbers_hidden"},  # flags of ours
    "api/v2/link_admin.py": {"_names"},  # of an administrator
    "receipt_log/safety.py": {"faults"},  # the monitor of our own server
    "receipt_log/spool.py": {"_cut", "_record_at"},  # our own file
    "domain/gsm_languages.py": {"_pairs", "_row"},  # our own tables
    "domain/number_plans.py": {"rows_of"},
    "domain/national_numbers.py": {"_has_a_rival", "_is_given"},  # at most 15 digits
    "domain/pricing.py": {"from_micros"},
    "domain/routing.py": {"named"},  # the configuration
    "smpp/connection.py": {"buffer_updated"},  # four octets of a frame
    "webhooks/sender.py": {"_judged"},  # what the resolver made of a name
}
"""Functions of each file that take apart what nobody else wrote."""

SMALL = 64
"""Octets that are enough to be called."""


def functions_that_take_apart() -> Iterator[tuple[str, str]]:
    """Yield file and name of every function with such a call."""
    for file in sorted(one for room in ROOMS for one in [*(SOURCE / room).rglob("*.py"), SOURCE / room]):
        if file.is_dir():
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _calls(node) & TAKES_APART:
                yield file.relative_to(SOURCE).as_posix(), node.name


def _calls(function: ast.AST) -> set[str]:
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in called}


def functions_that_readers_call() -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
            file = Path(frame.f_code.co_filename).relative_to(SOURCE).as_posix()
            seen.add((file, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for reader in READERS.values():
            for make in reader.hostile.values():
                reader.read(make(SMALL))
    finally:
        sys.setprofile(before)
    return seen


def test_no_reader_is_missing() -> None:
    missing = set(functions_that_take_apart()) - functions_that_readers_call()
    known = {(file, name) for file, names in NOT_FOREIGN.items() for name in names}
    assert sorted(missing - known) == [], "strangers' text is read here: add it to the readers, or say why it is none"
    assert sorted(known - missing) == [], "these are read, or are gone"
