"""Everything that SQLite holds is in PostgreSQL afterwards, and life goes on there."""

import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from esito.domain.account import Account
from esito.domain.message import SegmentRef, SubmitAnswer, SubmitOutcome
from esito.domain.timing import DAY_MS
from esito.store.copy.canonical import Sum
from esito.store.copy.copying import copy
from esito.store.copy.tables import LEFT_BEHIND, MADE_THERE, TABLES, TableChecksum
from esito.store.interface.link_store import Lease
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.looking import change, rows
from tests.kit.needs import needs
from tests.kit.replying import LATER, keep, reply
from tests.kit.stores import open_at
from tests.unit.store.test_copy_source import HALF, ODD, OTHER_HALF, an_empty_database, answers, filled

pytestmark = [pytest.mark.anyio, needs("postgres")]


@pytest.fixture
async def target() -> AsyncIterator[str]:
    async with an_empty_database() as url:
        yield url


@pytest.fixture
async def before(path: Path) -> dict[str, Any]:
    """What the source answered before it was left."""
    return await filled(path)


@pytest.fixture
async def moved(before: dict[str, Any], path: Path, target: str) -> AsyncIterator[Store]:
    """The store to which everything was copied, in small batches; its books balance when the test ends."""
    await copy(path, target, batch=3)
    async with open_at(target) as store:
        yield store
        assert await complaints(store) == []


async def test_the_copy_answers_as_the_source_did(before: dict[str, Any], moved: Store) -> None:
    found = await answers(moved)
    for name, answer in before.items():
        assert found[name] == answer, name


async def test_what_was_copied_is_counted_summed_and_said(before: dict[str, Any], path: Path, target: str) -> None:
    said: list[str] = []
    copied = await copy(path, target, say=said.append)
    assert list(copied.tables) == [table.name for table in TABLES]
    assert copied.tables["account"].rows == 3
    assert copied.rows == sum(extent.rows for extent in copied.tables.values()) > 100
    assert copied.complaints == ()
    for name, extent in copied.tables.items():
        assert f"{name}: {extent.rows} rows, checksum {extent.shown} on both sides" in said


async def test_an_empty_file_is_copied_too(path: Path, target: str) -> None:
    async with open_at(f"sqlite:///{path}"):
        pass
    assert (await copy(path, target)).rows == 0
    async with open_at(target) as store:
        account = await account_in(store)
        await links_in(store)
        assert await store.accept(message(account)) == 1


async def test_no_trace_of_the_copy_stays_and_the_source_is_as_it_was(path: Path, target: str) -> None:
    before = await filled(path)
    await copy(path, target)
    async with open_at(target) as store:
        assert await rows(store, "SELECT 1 FROM pg_namespace WHERE nspname = 'esito_copy'") == []
    async with open_at(f"sqlite:///{path}") as store:
        assert await answers(store) == before


# -- life goes on --------------------------------------------------------------------------------


async def acme(store: Store) -> Account:
    return next(account for account, _ in await store.accounts() if account.name == "acme")


async def the_message(store: Store, tag: str) -> int:
    account = await acme(store)
    ((number,),) = await rows(store, f"SELECT id FROM message WHERE tag = '{tag}' AND account = {account.id}")
    return int(number)


async def test_new_messages_receipts_and_rows_get_numbers_that_were_never_given(path: Path, target: str) -> None:
    await filled(path)
    async with open_at(f"sqlite:///{path}") as source:
        # The newest went with age: its number was given all the same, where such numbers are not given twice.
        await change(source, "DELETE FROM callback WHERE id = (SELECT max(id) FROM callback)")
        (highest,) = await rows(source, "SELECT max(id), (SELECT max(id) FROM trail) FROM message")
        ((callback,),) = await rows(source, "SELECT seq FROM sqlite_sequence WHERE name = 'callback'")
    await copy(path, target)
    async with open_at(target) as store:
        await links_in(store, "alpha", "beta", operator="one")
        account = await acme(store)
        number = await submitted(store, message(account, [33677777777], url_dlr="https://example.org/"), ["AFTER"])
        assert number == 1001 > highest[0]
        await store.apply_receipts([receipt("AFTER", "DELIVRD")])
        ((trail,),) = await rows(store, f"SELECT id FROM trail WHERE message_id = {number}")
        assert trail == highest[1] + 1
        assert await rows(store, f"SELECT id FROM callback WHERE message_id = {number}") == [(callback + 1,)]
        assert (await account_in(store, "newcomer")).id == max(one.id for one, _ in await store.accounts())


async def test_every_table_that_numbers_its_rows_goes_on_beyond_them(moved: Store) -> None:
    for table in TABLES:
        if table.counted:
            name = table.name
            sql = f"SELECT nextval(pg_get_serial_sequence('{name}', 'id')), (SELECT max(id) FROM {name})"
            ((following, highest),) = await rows(moved, sql)
            assert following == highest + 1, name


async def test_what_a_server_that_was_killed_left_in_its_log_is_copied(tmp_path: Path, target: str) -> None:
    left = tmp_path / "left.db"
    async with open_at(f"sqlite:///{tmp_path}/running.db") as source:
        await account_in(source)
        for end in ("", "-wal"):
            shutil.copy(tmp_path / f"running.db{end}", f"{left}{end}")
    assert (await copy(left, target)).tables["account"].rows == 1


async def test_a_receipt_that_was_still_to_come_finds_its_message(moved: Store) -> None:
    await links_in(moved, "alpha", "beta", operator="one")
    number = await the_message(moved, "open")
    settled = await moved.apply_receipts([receipt("OPEN", "DELIVRD", link="beta")])
    assert (settled.moved, settled.verdicts) == (1, {"moved": 1})
    assert await states_of(moved, await acme(moved), number) == [8]
    assert await rows(moved, f"SELECT state, phase FROM callback WHERE message_id = {number}") == [(8, 0)]


async def test_an_answer_that_was_still_to_come_finds_the_receipt_that_was_faster(moved: Store) -> None:
    await links_in(moved, "alpha", "beta", operator="one")
    number = await the_message(moved, "overtaken")
    answer = SubmitAnswer(
        ref=SegmentRef(number, 0, 1), answer=SubmitOutcome.ACCEPTED, at=NOW + 9, smsc_message_id="OVERTAKEN"
    )
    assert await moved.record_answers("alpha", [answer]) == 1
    assert await states_of(moved, await acme(moved), number) == [8]


async def test_what_was_not_submitted_yet_leaves_when_it_is_due(moved: Store) -> None:
    await links_in(moved, "alpha", "beta", operator="one")
    numbers = {one.ref.message_id for one in await moved.claim("alpha", limit=100, at=NOW + DAY_MS)}
    assert await the_message(moved, "later") in numbers


async def test_the_other_half_of_a_reply_and_of_a_character_comes_later(moved: Store) -> None:
    await links_in(moved, "alpha", "beta", operator="one")
    kept = await keep(moved, reply(f"{OTHER_HALF} rire", at=LATER + 5, part=(9, 2, 2)))
    assert kept.responses == 1
    shown = await moved.replies.page((await acme(moved)).id, after=0, limit=100)
    assert shown[-1].text == "un \U0001f600 rire"
    assert ODD in [one.text for one in shown]


async def test_a_lease_goes_on_under_a_greater_token(moved: Store) -> None:
    assert await moved.leases.take("link:alpha", "g2", seconds=1.0) == Lease("link:alpha", 2)


async def test_ids_of_a_later_partition_find_theirs(path: Path, target: str) -> None:
    async with open_at(f"sqlite:///{path}") as source:
        account = await account_in(source)
        await links_in(source)
        assert await source.accept(message(account)) == 1
        await change(source, "UPDATE setting SET value = '30000001' WHERE name = 'next_message_id'")
    async with open_at(f"sqlite:///{path}") as source:
        assert await source.accept(message(account)) == 30_000_001
    await copy(path, target)
    async with open_at(target) as store:
        assert await rows(store, "SELECT number FROM span ORDER BY number") == [(0,), (3,)]
        assert await rows(store, "SELECT id FROM message_3") == [(30_000_001,)]
        assert await store.accept(message(account)) == 30_001_001


# -- nothing is forgotten -----------------------------------------------------------------------


async def test_every_table_and_column_of_both_schemas_is_known_to_the_copy(path: Path, target: str) -> None:
    known = {table.name: set(table.columns) for table in TABLES}
    async with open_at(f"sqlite:///{path}") as source, open_at(target) as store:
        left = await rows(
            source,
            "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c"
            " WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> 'sqlite_schema'",
        )
        made = await rows(
            store,
            "SELECT c.table_name, c.column_name FROM information_schema.columns c"
            " JOIN pg_class p ON p.oid = c.table_name::regclass"
            " WHERE c.table_schema = 'public' AND NOT p.relispartition",
        )
    assert _by_table(left, without=LEFT_BEHIND) == known
    assert _by_table(made, without=MADE_THERE) == known


async def test_the_columns_that_number_rows_and_their_sequences_are_known(target: str) -> None:
    async with open_at(target) as store:
        numbered = await rows(store, "SELECT table_name FROM information_schema.columns WHERE is_identity = 'YES'")
        others = await rows(store, "SELECT relname FROM pg_class WHERE relkind = 'S' AND relname NOT LIKE '%_id_seq'")
        divided = await rows(store, "SELECT relname FROM pg_class WHERE relkind = 'p'")
    assert {name for (name,) in numbered} == {table.name for table in TABLES if table.counted}
    assert {name for (name,) in others} == {"message_block", "trail_id"}
    assert {name for (name,) in divided} == {table.name for table in TABLES if table.spanned}


def _by_table(found: Iterable[Sequence[str]], *, without: Iterable[str]) -> dict[str, set[str]]:
    columns: dict[str, set[str]] = {}
    for table, column in found:
        columns.setdefault(table, set()).add(column)
    assert set(without) <= set(columns)
    return {table: names for table, names in columns.items() if table not in set(without)}


# -- the sum ------------------------------------------------------------------------------------

ROWS = [(1, "a", b"x", None), (2, "a\0", b"", 7), (2, "a\0", b"", 7), (3, HALF, b"", None)]


def summed(found: Sequence[Sequence[object]]) -> TableChecksum:
    sum_ = Sum()
    sum_.add(found)
    return sum_.extent


def test_the_order_of_rows_does_not_matter_and_nor_do_portions() -> None:
    both = Sum()
    both.add(ROWS[2:])
    both.add(ROWS[:2])
    assert both.extent == summed(ROWS)
    assert summed(ROWS).rows == 4


@pytest.mark.parametrize(
    "other", [(1, "b", b"x", None), ("1", "a", b"x", None), (1, b"a", b"x", None), (1, "a", b"x", 0)]
)
def test_another_value_or_kind_of_value_makes_another_sum(other: tuple[object, ...]) -> None:
    assert summed([other, *ROWS[1:]]).checksum != summed(ROWS).checksum


def test_a_row_that_is_there_twice_does_not_cancel_out() -> None:
    assert summed(ROWS).checksum != summed([ROWS[0], ROWS[3]]).checksum
