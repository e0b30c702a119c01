"""What others import from us, by name: a name that goes missing is a change users see."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import esito
import esito.client
from esito.client.sync import Client

ROOT = Path(__file__).parents[1]


def test_the_client_exports_these_names() -> None:
    assert sorted(esito.client.__all__) == [
        "ApiError",
        "AsyncClient",
        "BulkSent",
        "Client",
        "ClientError",
        "Credits",
        "Failure",
        "PairStatus",
        "RecipientStatus",
        "SendOptions",
        "Sent",
        "SentItem",
        "SingleStatus",
        "StoppedNumber",
        "TagPage",
        "UnexpectedAnswer",
        "Unreachable",
    ]


def test_every_exported_name_is_there() -> None:
    assert [name for name in esito.client.__all__ if not hasattr(esito.client, name)] == []


def test_everything_a_call_returns_is_exported() -> None:
    calls = [method for name, method in vars(Client).items() if callable(method) and not name.startswith("_")]
    returned = {record for call in calls for record in named_in(get_type_hints(call)["return"])}
    assert {"RecipientStatus", "Sent"} <= returned <= set(esito.client.__all__)


def named_in(annotation: Any) -> set[str]:
    """Return the names of our records in an annotation."""
    inner = {name for part in get_args(annotation) for name in named_in(part)}
    ours = getattr(annotation, "__module__", "").startswith("esito.")
    return inner | ({annotation.__name__} if ours else set())


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{esito.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_package_is_typed() -> None:
    assert (ROOT / "src" / "esito" / "py.typed").exists()
