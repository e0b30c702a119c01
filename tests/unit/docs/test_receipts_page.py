"""The page of receipt cases is what the file of cases makes of it."""

from tests.receipts.table import PAGE, page


def test_the_page_of_cases_is_that_of_the_file() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.receipts.table writes it anew"
