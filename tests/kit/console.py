"""Console blocks of documents: the commands in them, and whether what they print is what the document shows.

A line that begins with `$ ` is a command, which goes on behind a backslash; the lines below it are what it prints.
What differs from run to run may differ: numbers of two digits and more, times, ids. A line `...` stands for any lines,
`...` at the end of one for what it goes on with.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PROMPT = "$ "
ANY_LINES = "..."
KEY = re.compile(r"\b[0-9a-f]{40}\b")
CHANGES = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:]+Z"  # a moment
    r"|(?<![\w+.])\d+\.\d+(?!\d)|(?<![\w+.])\d(?= m?s\b)"  # an amount, a duration
    r"|(?<![\w+.])(?:[0-9a-f]*\d[0-9a-f]+|[0-9a-f]+\d[0-9a-f]*)(?!\w)"  # a longer number, an id
)
"""What differs from run to run; a phone number, with its plus, does not."""
FAILS = re.compile(r"# exits with (?P<status>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of a document and what it shows of its output."""

    command: str
    shown: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status it must have."""
        found = FAILS.search(self.command)
        return int(found["status"]) if found else 0


def steps_of(text: str) -> list[Step]:
    """Return the commands of a console block. Raises ValueError for output without a command."""
    steps: list[Step] = []
    command, shown, goes_on = "", list[str](), False
    for line in text.splitlines():
        if goes_on:
            command += "\n" + line
        elif line.startswith(PROMPT):
            if command:
                steps.append(Step(command=command, shown=tuple(shown)))
            command, shown = line.removeprefix(PROMPT), []
        elif not command:
            raise ValueError(f"no command prints {line!r}")
        else:
            shown.append(line)
            continue
        goes_on = command.endswith("\\")
    if command:
        steps.append(Step(command=command, shown=tuple(shown)))
    return steps


def keys_among(shown: tuple[str, ...], printed: str) -> Mapping[str, str] | None:
    """Return the real key for each that the document shows; None when something else was printed.

    The lines that the document shows must be printed, in their order; others may stand between them where it says so.
    """
    pattern = ""
    lines = [_plain(line) for line in shown]
    for line in [line for line in lines if line]:
        pattern += r"(?:.*\n)*?" if line == ANY_LINES else _pattern(line) + r"\n"
    text = "".join(f"{line}\n" for line in map(_plain, printed.splitlines()) if line)
    found = re.search(r"\A" + pattern, text) if pattern else re.search("", text)
    if found is None:
        return None
    return dict(zip(KEY.findall("\n".join(lines)), found.groups(), strict=True))


def _plain(line: str) -> str:
    """Return a line without the frames of tables and with single blanks."""
    return " ".join(re.sub(r"[─-╿]", " ", line).split())


def _pattern(line: str) -> str:
    pieces = []
    begins = line.removesuffix(ANY_LINES)
    for number, text in enumerate(KEY.split(begins)):
        pieces += [r"([0-9a-f]{40})"] if number else []
        pieces.append(r"[\w.:-]+".join(map(re.escape, CHANGES.split(text))))
    return "".join(pieces) + ("" if begins == line else ".*")
