import re
from collections.abc import Iterator

import pytest

from esito.domain import errors
from esito.domain.errors import (
    EsitoError,
    Fenced,
    FieldError,
    InvalidFields,
    NewerSchema,
    NothingToSend,
    NumberInUse,
    NumberProblem,
    Refusal,
    StoreError,
    StoreFailed,
    StoreInUse,
    StoreUnavailable,
    UnknownLink,
    UnsafeEngine,
)


def family(root: type[EsitoError]) -> Iterator[type[EsitoError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


TREE = [one for one in family(EsitoError) if one.__module__ == errors.__name__]
PLAIN = [one for one in TREE if one not in {InvalidFields, NothingToSend, NumberInUse}]


@pytest.mark.parametrize("kind", PLAIN)
def test_the_docstring_of_an_error_is_its_default_message(kind: type[EsitoError]) -> None:
    assert str(kind()) == (kind.__doc__ or "").splitlines()[0]
    assert str(kind()).endswith(".")


def test_an_error_says_what_it_is_told_to_say() -> None:
    assert str(StoreUnavailable("nothing was kept: disk full")) == "nothing was kept: disk full"


def test_only_a_store_that_is_busy_or_full_is_worth_another_try() -> None:
    assert [one for one in TREE if one.retry] == [StoreUnavailable]


def test_a_commit_of_unknown_end_is_never_taken_for_one_that_was_undone() -> None:
    assert not issubclass(StoreFailed, StoreUnavailable)
    assert {StoreUnavailable, StoreFailed, StoreInUse, Fenced, UnknownLink, NewerSchema, UnsafeEngine} == set(
        StoreError.__subclasses__()
    )


def test_the_tree_at_the_top_of_the_file_shows_every_branch() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w+\b|\bRefusal\b|\bFenced\b", errors.__doc__ or ""))
    branches = {one.__name__ for one in TREE if not issubclass(one, Refusal) or one is Refusal}
    assert branches <= drawn
    assert drawn <= {one.__name__ for one in TREE}


def test_invalid_fields_are_all_named_in_their_order() -> None:
    wrong = [FieldError(element="sender", message="too long"), FieldError(element="tag", message="a blank")]
    refused = InvalidFields(wrong)
    assert refused.errors == tuple(wrong)
    assert str(refused) == "too long; a blank"


def test_nothing_to_send_says_why_of_each_number() -> None:
    problem = NumberProblem(code=14, msisdn="+33612345678")
    refused = NothingToSend([problem])
    assert refused.problems == (problem,)
    assert str(refused) == "No recipient is left that could be sent to."
