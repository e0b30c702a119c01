"""What PostgreSQL's settings say of who follows whom."""

import pytest

from esito.cluster.postgres_roles import address_of, count_of, members_of, quorum_of, readdressed, value_in


@pytest.mark.parametrize(
    ("said", "names", "count"),
    [
        ("", [], 0),
        ("a", ["a"], 1),
        ("a, b", ["a", "b"], 1),
        ("2 (a, b)", ["a", "b"], 2),
        ("FIRST 1 (a,b)", ["a", "b"], 1),
        ('any 2 ("a b", b, "c")', ["a b", "b", "c"], 2),
    ],
)
def test_a_quorum_is_read_however_it_is_written(said: str, names: list[str], count: int) -> None:
    assert (members_of(said), count_of(said)) == (names, count)


@pytest.mark.parametrize(
    ("names", "count", "value"),
    [
        ([], 1, ""),
        (["a"], 1, 'ANY 1 ("a")'),
        (["a", "b"], 2, 'ANY 2 ("a", "b")'),
        (["a"], 2, 'ANY 1 ("a")'),
    ],
)
def test_a_quorum_never_asks_for_more_than_there_are(names: list[str], count: int, value: str) -> None:
    assert quorum_of(names, count) == value
    assert members_of(value) == names


def test_only_the_address_of_the_primary_changes() -> None:
    said = r"user=esito passfile='/var/lib/a b' host=10.0.0.1 hostaddr=10.0.0.1 port=5432 application_name='it''s'"
    moved = readdressed(said.replace("''", r"\'"), "10.0.0.2", 5433)
    assert "10.0.0.1" not in moved
    assert moved.endswith("host='10.0.0.2' port='5433'")
    assert value_in(moved, "user") == "esito"
    assert value_in(moved, "passfile") == "/var/lib/a b"
    assert value_in(moved, "sslmode") == ""


def test_the_address_of_a_node_needs_a_host() -> None:
    assert address_of("postgresql://esito@db1/esito") == ("db1", 5432)
    assert address_of("postgresql://esito@[::1]:6000/esito") == ("::1", 6000)
    with pytest.raises(ValueError, match="host:port"):
        address_of("postgresql:///esito")
