"""What is counted shows up in /metrics under its name."""

from prometheus_client.parser import text_string_to_metric_families

from esito import metrics


def value(name: str, **labels: str) -> float:
    """Return a sample of what /metrics shows; 0 when it is not there."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0.0


def test_requests_are_counted_by_path_and_status() -> None:
    before = value("esito_http_requests_total", path="/v1/test", status="200")
    requests = metrics.Requests("/v1/test")
    for status in (200, 200, 400):
        requests.count(status, 0.004)
    assert value("esito_http_requests_total", path="/v1/test", status="200") == before + 2
    assert value("esito_http_requests_total", path="/v1/test", status="400") == 1
    assert value("esito_http_request_seconds_bucket", path="/v1/test", le="0.005") == 3
    assert value("esito_http_request_seconds_bucket", path="/v1/test", le="0.0025") == 0


def test_receipts_of_one_commit_are_counted_by_verdict() -> None:
    batches = value("esito_receipt_batch_count")
    metrics.receipts_kept("test", {"moved": 40, "duplicate": 2}, 0.003)
    metrics.receipts_kept("test", {"moved": 1}, 0.003)
    assert value("esito_receipts_total", link="test", verdict="moved") == 41
    assert value("esito_receipts_total", link="test", verdict="duplicate") == 2
    assert value("esito_receipt_batch_count") == batches + 2


def test_replies_are_counted_by_what_they_came_to() -> None:
    metrics.replies_kept("test", pieces=3, whole=1, stops=1)
    metrics.replies_kept("test", pieces=1, whole=1, stops=0)
    counted = [value("esito_replies_total", link="test", stage=stage) for stage in ("piece", "whole", "stop")]
    assert counted == [4, 2, 1]


def test_answers_to_submit_sm_are_counted_by_link() -> None:
    metrics.submit_answered("test", "accepted")
    metrics.submit_answered("test", "accepted")
    assert value("esito_submits_total", link="test", answer="accepted") == 2


def test_a_link_is_up_in_each_direction_or_not() -> None:
    metrics.link_state("test", sending=True, receiving=False)
    assert value("esito_link_up", link="test", direction="sending") == 1
    assert value("esito_link_up", link="test", direction="receiving") == 0


def test_what_waits_is_shown_as_the_store_counts_it() -> None:
    metrics.counted(
        queued=1, unanswered=2, unmatched=3, callbacks_due=4, by_status={"Delivered": 5, "Not delivered": 6}
    )
    assert value("esito_recipients_queued") == 1
    assert value("esito_segments_unanswered") == 2
    assert value("esito_receipts_unmatched") == 3
    assert value("esito_callbacks_due") == 4
    assert value("esito_recipients", status="Not delivered") == 6


def test_everything_of_ours_has_our_name_and_a_help() -> None:
    families = list(text_string_to_metric_families(metrics.render().decode()))
    assert len(families) > 20
    assert [family.name for family in families if not family.name.startswith(("esito_", "process_"))] == []
    assert [family.name for family in families if not family.documentation] == []
