"""The page of the API names every operation there is, and no other."""

import re
from pathlib import Path

from tests.kit.desk import desk
from tests.kit.documents import text_of

CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`")


def test_the_page_of_the_api_names_every_operation_and_no_other(tmp_path: Path) -> None:
    with desk(tmp_path, pushable=True) as api:
        paths = api.get("/openapi.json").json["paths"]
    served = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert set(CALL.findall(text_of(Path("docs/reference/api.md")))) == served
