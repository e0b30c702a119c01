"""What we ask of a connection to an engine: to run statements by their names (`store.statements`).

An answer is a list of records: whoever asks says of which kind they are, a NamedTuple with the columns of the statement
in their order, or `tuple[int, str]` where that says enough. A list among the parameters is one parameter.

A transaction is a function of a connection and of what several callers ask for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from esito.domain.errors import EsitoError

SqlValue = None | int | float | str | bytes
"""What a column may hold."""

Row = TypeVar("Row", bound=tuple[object, ...])
"""A record."""


class Json:
    """A parameter that the statement reads as JSON."""

    __slots__ = ("content",)

    def __init__(self, content: object) -> None:
        self.content = content


Parameter = SqlValue | Sequence[int] | Json
"""What a statement may be given."""

Step = tuple[str, Sequence[Sequence[SqlValue]] | Json]
"""A statement by its name, with its rows or its one parameter."""


class Read(Generic[Row]):
    """A statement that reads, with its parameters and the record that its answer is made of."""

    __slots__ = ("name", "parameters", "row")

    def __init__(self, name: str, row: type[Row], /, **parameters: Parameter) -> None:
        self.name = name
        self.row = row
        self.parameters = parameters


class Connection(Protocol):
    """One connection, used by one thread at a time."""

    def run(self, name: str, /, **parameters: Parameter) -> int:
        """Change something; return how many rows."""

    def rows(self, name: str, row: type[Row], /, **parameters: Parameter) -> list[Row]:
        """Return every row of the answer."""

    def row(self, name: str, row: type[Row], /, **parameters: Parameter) -> Row | None:
        """Return the first row of the answer; None when it has none."""

    def number(self, name: str, /, **parameters: Parameter) -> int:
        """Return the one number that a question has for an answer; 0 when it has none."""

    def numbers(self, name: str, /, **parameters: Parameter) -> list[int]:
        """Return the numbers of an answer that has one column."""

    def text(self, name: str, /, **parameters: Parameter) -> str | None:
        """Return the one text that a question has for an answer; None when it has none."""

    def rows_for(self, name: str, row: type[Row], given: Iterable[Sequence[SqlValue]], /) -> list[Row]:
        """Ask a question about all the rows given, many at a time."""

    def run_rows(self, name: str, given: Iterable[Sequence[SqlValue]], /) -> int:
        """Run a statement for all the rows given, many at a time; return how many it changed."""

    def run_together(self, steps: Sequence[Step]) -> None:
        """Run several statements, none of which looks at what another changes, at the price of few round trips."""

    def stream(self, name: str, row: type[Row], /, **parameters: Parameter) -> Iterator[Row]:
        """Yield the rows of an answer that may be as long as the table; inside `snapshot` only."""

    def ids(self, table: str, count: int) -> Sequence[int]:
        """Return numbers for new rows of a table, in ascending order, that no other row has or had."""

    def newest(self, table: str) -> int:
        """Return a number up to which no row of a table can appear any more."""

    @property
    def changed(self) -> int:
        """How many rows this connection has changed since it was opened."""

    @property
    def shared(self) -> bool:
        """Whether other processes write at the same time, each in transactions of its own."""

    @property
    def indexed_by_number(self) -> bool:
        """Whether recipients are found by their number without lists of our own (`sent_to`)."""

    def hold(self, what: str) -> None:
        """Let no other process that asks for the same go on until the transaction ends."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every question within the block see the same state of the database."""

    def without_trace(self) -> AbstractContextManager[None]:
        """Have what is removed within the block overwritten, as far as the engine can."""


# -- transactions -------------------------------------------------------------------------------

Request = TypeVar("Request")

Result = TypeVar("Result")

Transaction = Callable[[Connection, Sequence[Request]], Sequence[Result | EsitoError]]
"""Does what several callers ask for inside the open transaction; returns a result, or the refusal, for each caller.
What it raises undoes the work for all of them."""

Act = Callable[[Connection], Result]
"""Does one thing inside the open transaction. An EsitoError that it raises refuses it; it has changed nothing then."""


def perform(connection: Connection, acts: Sequence[Act[Result]]) -> list[Result | EsitoError]:
    """Perform acts one by one: the transaction of what is not worth one of its own."""
    results: list[Result | EsitoError] = []
    for act in acts:
        try:
            results.append(act(connection))
        except EsitoError as refusal:
            results.append(refusal)
    return results
