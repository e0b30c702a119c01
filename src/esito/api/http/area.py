"""What one area of the API brings: its operations, and what the OpenAPI document says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from esito.api.http.app import AnyOperation
from esito.api.http.pages import EndpointDoc
from esito.api.http.schemas import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """The endpoints of one subject."""

    operations: tuple[AnyOperation, ...]
    pages: Mapping[tuple[str, str], EndpointDoc]
    """By method and path; every operation has one."""
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    """Of answers, by name."""
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    """Of requests, by name."""
    samples: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """A good answer for each schema that a page names."""
