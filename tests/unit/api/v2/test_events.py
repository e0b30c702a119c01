"""What happened to an account's messages, as it is followed: GET /v2/events."""

from tests.kit.desk import KEY, Desk, Reply

FIRST, SECOND = "+33611111111", "+33622222222"


def events(api: Desk, key: str = KEY, **query: object) -> Reply:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return api.ask("GET", "/v2/events", query=text, headers=[("authorization", f"Bearer {key}")])


def test_without_a_cursor_one_hears_only_where_to_begin(api: Desk) -> None:
    api.send(FIRST)
    api.settle("DELIVRD")
    told = events(api).json
    assert told["events"] == []
    assert events(api, cursor=told["next_cursor"]).json == told


def test_from_a_cursor_on_every_receipt_is_told_in_order(api: Desk) -> None:
    message = api.send(FIRST, SECOND)
    api.settle("UNDELIV", "DELIVRD", after=(10, 20))
    told = events(api, cursor=0).json
    assert [(one["message_id"], one["msisdn"], one["stat"], one["status"]) for one in told["events"]] == [
        (message, FIRST, "UNDELIV", "Not delivered"), (message, SECOND, "DELIVRD", "Delivered"),
    ]  # fmt: skip
    assert events(api, cursor=told["next_cursor"]).json["events"] == []


def test_pages_join_without_a_gap(api: Desk) -> None:
    api.send(FIRST, SECOND)
    api.settle("UNDELIV", "DELIVRD", after=(10, 20))
    first = events(api, cursor=0, limit=1).json
    second = events(api, cursor=first["next_cursor"], limit=1).json
    assert [one["msisdn"] for one in first["events"] + second["events"]] == [FIRST, SECOND]


def test_another_account_hears_nothing_of_it(api: Desk) -> None:
    api.add_account("other", "their-key")
    api.send(FIRST)
    api.settle("DELIVRD")
    told = events(api, key="their-key", cursor=0).json
    assert told["events"] == []
    assert told["next_cursor"] == events(api, cursor=0).json["next_cursor"]


def test_a_key_is_needed(api: Desk) -> None:
    assert api.ask("GET", "/v2/events").refused == (401, 1, "La Clé API est requise")


def test_beyond_the_last_event_there_is_none(api: Desk) -> None:
    assert events(api, cursor="9" * 16).json["events"] == []
