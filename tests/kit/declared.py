"""Holds endpoints to their declarations: what a handler reads and what it raises must be declared.

`desk` asks through it, so that every test of the API is a test of the declarations too.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import wraps
from typing import Any

from esito.api.http.endpoint import AnyEndpoint, common_errors, documented_errors
from esito.api.http.request import Inputs
from esito.api.http.response import Response
from esito.api.http.schema import Parameters
from esito.domain.errors import EsitoError, StoreError


class Noting(dict[str, Any]):
    """Parameters of a request that note which of them are read by name."""

    def __init__(self, values: Iterable[tuple[str, Any]]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None, /) -> Any:
        self.read.add(name)
        return super().get(name, default)


def names_of(endpoint: AnyEndpoint) -> set[str]:
    """Return the parameters that an endpoint declares, in path, query and body."""
    declared: list[Parameters] = [one for one in (endpoint.parameters, endpoint.body) if one is not None]
    names = {name for one in declared for name in (*one.__struct_encode_fields__, *one.other_names)}
    return names | {"apiKey", "_format"}


def held(endpoint: AnyEndpoint, faults: list[str]) -> AnyEndpoint:
    """Return an endpoint that adds to `faults` what its declaration does not say."""
    declared, errors = names_of(endpoint), (*documented_errors(endpoint), *common_errors(endpoint), StoreError)
    handler: Any = endpoint.handler

    @wraps(handler)
    async def checked(request: Any) -> Response:
        values = Noting(request.inputs.items())
        request.inputs = Inputs(values)
        try:
            response: Response = await handler(request)
        except EsitoError as error:
            if not isinstance(error, errors):
                faults.append(f"{endpoint.method} {endpoint.path} raises {type(error).__name__}, which is not declared")
            raise
        finally:
            if undeclared := sorted(values.read - declared):
                faults.append(f"{endpoint.method} {endpoint.path} reads {undeclared}, which are not declared")
        return response

    return replace(endpoint, handler=checked)
