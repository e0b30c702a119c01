"""`scripts/measure-house` counts what it says it counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.measure_house import ROOT, Module, doubles, figures, main, measure, module_of, stems, untyped

PAGE = '''
"""A page."""

from typing import Any, cast

KEPT: "dict[str, Any]" = {}


class Shelf:
    """Any sentence may say Any."""

    def __init__(self, a: int, b: int) -> None:
        self.a = cast("Any", a)

    @property
    def size(self) -> int:
        return 1

    @size.setter
    def size(self, value: int) -> None:
        pass

    @staticmethod
    def made(a: int, *rest: int, b: Any, **more: int) -> None:
        """Make one."""

        def within(x: int) -> int:
            return x

    def _hidden(self) -> None:
        pass


class _Inner:
    def shown(self) -> None:
        pass


def plain(a: int) -> int:
    return a
'''


@pytest.fixture
def page() -> Module:
    return module_of(Path("esito/store/engine.py"), PAGE)


def test_a_function_goes_from_def_to_its_last_line(page: Module) -> None:
    assert sorted(page.functions) == [2, 2, 2, 2, 2, 2, 2, 5]


def test_self_is_no_parameter_and_everything_that_may_be_given_is_one(page: Module) -> None:
    assert sorted(page.parameters) == [0, 0, 0, 1, 1, 1, 2, 4]


def test_a_property_and_its_setter_are_one_method(page: Module) -> None:
    assert sorted(page.methods) == [1, 4]


def test_only_what_is_public_can_be_undocumented(page: Module) -> None:
    assert page.classes == ("Shelf",)
    assert page.undocumented == ("Shelf.size", "plain")


def test_any_counts_in_code_and_between_quotes_but_not_in_an_import_or_a_sentence(page: Module) -> None:
    assert (page.anys, page.casts) == (3, 1)


def test_the_folder_is_that_of_the_package(page: Module) -> None:
    assert page.folder == "store"
    assert module_of(Path("esito/store/sqlite/engine.py"), "").folder == "store"
    assert module_of(Path("esito/logs.py"), "").folder == ""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "__init__.py": "",
        "api/replies.py": "class Page:\n    pass\n",
        "api/__init__.py": "",
        "store/replies.py": "from typing import Any\n\n\nclass Page:\n    kept: Any\n" + "\n" * 40,
        "store/sql/queries.sql": "-- name: one\nSELECT 1\n-- name: two\nSELECT 2\n-- name: three\nSELECT 3\n",
        "store/sql/sqlite/queries.sql": "-- name: two\nSELECT 22\n-- name: four\nSELECT 4\n",
        "store/sql/postgres/queries.sql": "-- name: three\nSELECT 33\n-- name: four\nSELECT 44\n",
        "store/sql/postgres/0001_start.sql": "CREATE TABLE one (id INTEGER);\n",
    }
    for name, text in files.items():
        path = tmp_path / "src" / "esito" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_statement_has_two_texts_when_its_name_stands_in_two_files(tree: Path) -> None:
    house = measure(tree)
    assert set(house.statements) == {"one", "two", "three", "four"}
    assert set(doubles(house.statements)) == {"two", "three", "four"}


def test_a_module_stem_occurs_once_and_packages_have_none(tree: Path) -> None:
    assert doubles(stems(measure(tree))) == {"replies": 2}


def test_any_is_told_by_folder(tree: Path) -> None:
    assert untyped(measure(tree)) == {"store": (1, 0)}


def test_files_are_counted_with_those_that_are_short(tree: Path) -> None:
    counted = figures(measure(tree))
    assert counted["files"] == "4"
    assert counted["files under 40 lines"] == "3"
    assert counted["lines of a file: median / 95 % / most"] == "1 / 45 / 45"


def test_two_trees_stand_side_by_side(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "after").mkdir()
    (tree / "after" / "one.py").write_text("x = 1\n")
    main([str(tree), str(tree / "after")])
    said = capsys.readouterr().out
    assert "|  | before | after |\n" in said
    assert "| files | 4 | 1 |\n" in said
    assert "| store | 1 / 0 | 0 / 0 |\n" in said
    assert "Module stems that occur more than once, before: replies (2).\n" in said
    assert "Module stems that occur more than once, after: none.\n" in said


def test_a_tree_without_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Python files"):
        measure(tmp_path)


def test_the_command_needs_nothing_but_python() -> None:
    said = subprocess.run([sys.executable, "-S", ROOT / "scripts" / "measure-house"], check=True, capture_output=True)
    assert said.stdout.startswith(b"|  | now |\n")
