"""Reads the error tables: those of the package, overridden by those of the user's directory.

One TOML file describes the operator whose name it has; `generic.toml` applies to all. `docs/reference/errors.md`
has the format. A file that cannot be used is refused with file and entry, so that a slip shows at the
start and not in an answer to a customer.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from esito.config import ConfigError
from esito.domain.states import STAT_WORDS, MessageState
from esito.domain.vocabulary import ErrorCategory, ErrorMeaning, ErrorTable, Vocabulary, normal_code

Key = TypeVar("Key")

GENERIC = "generic"
SUFFIX = ".toml"
SECTIONS = ("command_status", "error_code", "stat")
LONGEST_REASON = 200

_NUMBER = re.compile("0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10}")


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a table."""

    category: ErrorCategory
    permanent: bool
    reason: str


def load_vocabulary(directory: Path | None = None) -> Vocabulary:
    """Return the meanings of error codes; files of `directory` override those of the package. Raises ConfigError."""
    tables = dict(_tables_of_package())
    if directory is not None:
        for name, table in _tables_of(directory).items():
            tables[name] = table.over(tables.get(name, ErrorTable()))
    return Vocabulary(tables.pop(GENERIC), tables)


@cache
def _tables_of_package() -> Mapping[str, ErrorTable]:
    """Return the tables of the package, read once."""
    return _tables_of(files("esito").joinpath("data", "errors"))


def _tables_of(folder: Traversable) -> dict[str, ErrorTable]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigError(f"errors.directory: {folder} cannot be read: {error.strerror}") from error
    # Names with a dot in front are left-overs of editors and container platforms.
    found = [entry for entry in entries if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")]
    return {entry.name.removesuffix(SUFFIX): _table(entry) for entry in found}


def _table(file: Traversable) -> ErrorTable:
    document = _document(file)
    for section in document:
        if section not in SECTIONS:
            raise ConfigError(f"{file}: there is no section [{section}]; there are {', '.join(SECTIONS)}")
    return ErrorTable(
        statuses=_section(file, document, "command_status", _status),
        error_codes=_section(file, document, "error_code", _code),
        stat_words=_section(file, document, "stat", _word),
    )


def _document(file: Traversable) -> dict[str, Any]:
    try:
        # The module's own sentence names line and column.
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from error


def _section(
    file: Traversable, document: Mapping[str, Any], section: str, key_of: Callable[[str], Key]
) -> dict[Key, ErrorMeaning]:
    """Return a section by its normalised keys."""
    written = document.get(section, {})
    if not isinstance(written, dict):
        raise ConfigError(f"{file}: {section} must be a section, [{section}]")
    found: dict[Key, ErrorMeaning] = {}
    for name, entry in written.items():
        where = f"{file}: {section}.{name}"
        try:
            key = key_of(name)
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from None
        if key in found:
            raise ConfigError(f"{where} is there twice, the second time in another spelling")
        found[key] = _meaning(where, entry)
    return found


def _status(name: str) -> int:
    number = int(name, 16 if name[1:2] in {"x", "X"} else 10) if _NUMBER.fullmatch(name) else 0
    if not 0 < number < 2**32:
        raise ValueError("a command_status is a number from 0x01, such as 0x0B or 11")
    return number


def _code(name: str) -> str:
    if not (0 < len(name) <= 32 and name.isprintable() and " " not in name):
        raise ValueError("an error code has 1 to 32 characters and no blanks")
    return normal_code(name)


def _word(name: str) -> str:
    if STAT_WORDS.get(name.upper()) is MessageState.DELIVERED:
        raise ValueError("a delivered message has no error")
    if not (0 < len(name) <= 64 and name.isprintable() and " " not in name):
        raise ValueError("a word of a receipt has 1 to 64 characters and no blanks")
    return name.upper()


def _meaning(where: str, written: Any) -> ErrorMeaning:
    try:
        entry = msgspec.convert(written, _Entry)
    except msgspec.ValidationError as error:
        raise ConfigError("; ".join([f"{where}{_told(str(error))}", *_choices(written)])) from None
    if not (entry.reason.strip() and entry.reason.isprintable() and len(entry.reason) <= LONGEST_REASON):
        raise ConfigError(f"{where}.reason must be one line of 1 to {LONGEST_REASON} characters")
    return ErrorMeaning(category=entry.category, permanent=entry.permanent, reason=entry.reason.strip())


def _told(error: str) -> str:
    """Turn msgspec's "what - at `$.field`" into ".field: what"."""
    what, _, place = error.partition(" - at `$")
    return f"{place.rstrip('`')}: {what}"


def _choices(written: Any) -> Iterator[str]:
    """Yield the valid categories if the category is wrong."""
    known = [category.value for category in ErrorCategory]
    if isinstance(written, dict) and written.get("category") not in known:
        yield f"the categories are {', '.join(known)}"
