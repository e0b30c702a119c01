"""A name means one thing, in the field's words.

A public class name and a module stem occur once in `src`. Their words are those of SMPP, of Python or of the glossary,
or plain: what is plain is listed in names.toml, and stays listed only as long as a name needs it. A class of errors is
called by a sentence (`TransferBalanceTooLow`) and may use any words.

The list `words_today` is what was wrong when these tests were written. It only shrinks: a line that no name needs any
more fails its test, and is deleted.
"""

import ast
import asyncio
import builtins
import collections.abc
import http
import re
import sqlite3
import sys
import tomllib
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from esito.smpp import pdu
from scripts.measure_house import ROOT, House, class_names, doubles, measure, stems

GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"

LISTS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))

ENDINGS = {
    "ies": ("y",),
    "ied": ("y",),
    "es": ("", "e"),
    "s": ("",),
    "ing": ("", "e"),
    "ed": ("", "e"),
    "er": ("", "e"),
    "or": ("", "e"),
    "ation": ("", "e"),
    "ion": ("", "e"),
    "al": ("", "e"),
    "ance": ("",),
    "ment": ("",),
}
"""Endings a word may have, and how it may go on without."""

SPEAK_PYTHON: tuple[ModuleType | type, ...] = (
    *(builtins, typing, asyncio, collections, collections.abc, http, sqlite3),
    http.HTTPStatus,
)
"""Modules and classes of Python's own whose public names are Python's words, beside the names of all its modules."""


def words_of(name: str) -> list[str]:
    """Return the words of a name in either spelling: `PushableClock`, `shared_clock`, `gsm0338`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def forms_of(word: str) -> Iterator[str]:
    """Yield a word and what it may be a form of: `settling`, `settle`."""
    yield word
    for ending, others in ENDINGS.items():
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            stem = word.removesuffix(ending)
            yield from (stem + other for other in others)
            if stem[-1] == stem[-2]:
                yield stem[:-1]


@cache
def source() -> House:
    return measure(ROOT)


@cache
def glossary_words() -> frozenset[str]:
    rows = re.findall(r"^\| ([^|]+) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return _all_forms(re.findall(r"[a-z]+", " ".join(rows).lower()))


@cache
def python_words() -> frozenset[str]:
    public = [name for module in SPEAK_PYTHON for name in dir(module) if not name.startswith("_")]
    return _all_forms(word for name in (*sys.stdlib_module_names, *public) for word in words_of(name))


@cache
def smpp_words() -> frozenset[str]:
    """Return the words of PDUs, of their fields and of what these may hold."""
    kinds = [kind for kind in vars(pdu).values() if isinstance(kind, type)]
    names = [name for kind in kinds for name in (kind.__name__, *dir(kind)) if not name.startswith("_")]
    return _all_forms(word for name in names for word in words_of(name))


def _all_forms(words: Iterable[str]) -> frozenset[str]:
    return frozenset(form for word in words for form in forms_of(word))


def is_known(word: str, *known: Iterable[str]) -> bool:
    return any(form in words for form in forms_of(word) for words in known)


@cache
def names_by_word() -> dict[str, set[str]]:
    """Return the words of modules and public classes, and the names in which each stands."""
    found: dict[str, set[str]] = {}
    for name in {*stems(source()), *class_names(source())} - errors():
        for word in words_of(name):
            found.setdefault(word, set()).add(name)
    return found


@cache
def errors() -> frozenset[str]:
    """Return the names of all classes that can be raised."""
    bases: dict[str, set[str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(ast.unparse(base).rpartition(".")[2] for base in node.bases)
    found = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return frozenset(found)


def unknown_words() -> set[str]:
    known = (glossary_words(), python_words(), smpp_words(), set(LISTS["plain"]))
    return {word for word in names_by_word() if not is_known(word, *known)}


@pytest.mark.parametrize("kind", ["module", "class"])
def test_a_name_occurs_once(kind: str) -> None:
    twice = set(doubles(stems(source()) if kind == "module" else class_names(source())))
    assert sorted(twice) == [], "another one has this name already"


def test_the_words_of_a_name_are_those_of_the_field() -> None:
    today, unknown = set(LISTS["words_today"]), unknown_words()
    assert {word: sorted(names_by_word()[word]) for word in unknown - today} == {}, (
        "say it in a word of SMPP or of docs/reference/glossary.md; a word everybody knows may go into `plain`"
    )
    assert sorted(today - unknown) == [], "no name needs it: delete its line in names.toml"


def test_a_plain_word_is_listed_as_long_as_a_name_needs_it() -> None:
    needed = {form for word in names_by_word() for form in forms_of(word)}
    assert [word for word in LISTS["plain"] if word not in needed] == []
    assert [word for word in LISTS["plain"] if word in glossary_words() | smpp_words()] == [], "known without"


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_in_alphabetic_order(name: str) -> None:
    assert LISTS[name] == sorted(set(LISTS[name]))


def test_words_are_found_in_either_spelling() -> None:
    assert words_of("PushableClock") == ["pushable", "clock"]
    assert words_of("SMPPLink2") == ["smpp", "link"]
    assert words_of("shared_clock") == ["shared", "clock"]
    assert words_of("v2export") == ["v", "export"]


@pytest.mark.parametrize(("word", "base"), [("settling", "settle"), ("replies", "reply"), ("dropped", "drop")])
def test_a_form_of_a_known_word_is_known(word: str, base: str) -> None:
    assert is_known(word, {base})
    assert not is_known(base, {word})


def test_errors_are_found_through_their_bases_and_whatever_is_no_error_is_not() -> None:
    assert {"EsitoError", "TransferBalanceTooLow"} <= errors()
    assert "Store" not in errors()
