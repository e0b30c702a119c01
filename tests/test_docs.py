"""What the documentation says of settings and commands is what they are."""

import re
from itertools import groupby
from pathlib import Path

import click
import pytest

from esito.app.link_factory import outgoing_settings, smpp_settings
from esito.cli.main import COMMANDS, cli
from esito.config import HelpRow, Settings, load
from esito.domain.explanation_words import FLAGS
from tests.kit.documents import blocks_of

DOCS = Path(__file__).parents[1] / "docs"
CONFIGURATION = (DOCS / "reference" / "configuration.md").read_text()
COMMAND_LINE = (DOCS / "reference" / "cli.md").read_text()

SECTIONS = {section: list(rows) for section, rows in groupby(Settings.help_table(), key=lambda row: row.section)}


def table_of(rows: list[HelpRow]) -> str:
    """Return the table of a section as it stands in docs/reference/configuration.md."""
    lines = ["| name | type | default | meaning |", "|---|---|---|---|"]
    for row in rows:
        allowed = f" Allowed: {row.allowed}." if row.allowed else ""
        lines.append(f"| `{row.name}` | {row.type} | `{row.default}` | {row.help}{allowed} |")
    return "\n".join(lines)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_as_it_is(section: str) -> None:
    written = re.search(rf"^## `{re.escape(section)}`.*?(?=^## |\Z)", CONFIGURATION, re.MULTILINE | re.DOTALL)
    assert written is not None
    assert table_of(SECTIONS[section]) in written[0]


def test_no_section_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^## `(.*)`$", CONFIGURATION, re.MULTILINE)) == set(SECTIONS)


def test_the_example_file_can_be_used(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", CONFIGURATION, re.MULTILINE | re.DOTALL)
    path = tmp_path / "esito.toml"
    path.write_text(example)
    assert [link.name for link in load(path, {}).links] == ["north", "south"]


def test_the_example_of_several_machines_can_be_used(tmp_path: Path) -> None:
    operations = Path("docs/howto/operations.md")
    (example,) = [block.text for block in blocks_of(operations) if block.language == "toml" and "[bus]" in block.text]
    path = tmp_path / "esito.toml"
    path.write_text(example.replace("64 hexadecimal digits, the same everywhere", "5e" * 32))
    settings = load(path, {})
    assert settings.store.shared
    assert len(settings.bus.url.split(",")) == len(settings.bus.monitors) == settings.bus.replicas


CONNECTING = [
    block.text
    for block in blocks_of(Path("docs/howto/connect-an-operator.md"))
    if block.language == "toml" and "[[link]]" in block.text
]


@pytest.mark.parametrize("example", CONNECTING)
def test_every_example_of_connecting_an_operator_can_be_used(example: str, tmp_path: Path) -> None:
    path = tmp_path / "esito.toml"
    path.write_text(example)
    (link,) = load(path, {}).links
    assert link.name in {"north", "south"}
    smpp_settings(link)
    outgoing_settings(link)


def test_every_setting_that_the_lines_of_a_data_sheet_lead_to_is_there() -> None:
    text = (DOCS / "howto" / "connect-an-operator.md").read_text()
    (sheet,) = re.findall(r"^\| the sheet says .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    named = {name for line in sheet.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[2])}
    assert len(named) > 30
    assert named <= {row.name for row in SECTIONS["[[link]]"]}


def commands(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """Return every command by its full name."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, f"{before}{name} ")
        else:
            found[before + name] = command
    return found


@pytest.mark.parametrize("name", commands(cli))
def test_every_command_and_each_of_its_options_is_documented(name: str) -> None:
    assert f"`esito {name}" in COMMAND_LINE
    for parameter in commands(cli)[name].params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[0]}" in COMMAND_LINE


def test_the_first_table_of_the_page_names_every_command_and_no_other() -> None:
    table = COMMAND_LINE.partition("| command | does |")[2].partition("\n\n")[0]
    named = set()
    for row in table.splitlines()[2:]:
        group = ""
        for words in re.findall(r"`([^`]+)`", row.split("|")[1]):
            full = words.removeprefix("esito ") if words.startswith("esito ") else f"{group} {words}"
            group = full.partition(" ")[0]
            named.add(full)
    assert named == set(commands(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_line_of_the_list_of_commands_leads_to_that_command(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.name, bool(command.help)) == (name, True)


def test_every_flag_of_a_receipt_is_documented() -> None:
    table = re.search(r"^\| flag \|.*?\n\n", (DOCS / "reference" / "errors.md").read_text(), re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = [row.split("|")[1] for row in table[0].splitlines()[2:] if row]
    assert {flag for row in rows for flag in re.findall(r"`(\w+)`", row)} == set(FLAGS)
