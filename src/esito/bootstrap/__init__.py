"""Builds the house: the one place that names every concrete class.

What is named here is loaded when it is used: a command that looks into the store needs no server.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esito.bootstrap.house import House, Role, serve
    from esito.bootstrap.links import register_links, smpp_settings
    from esito.bootstrap.stores import key_secret, open_bus, open_store, save

__all__ = ["House", "Role", "key_secret", "open_bus", "open_store", "register_links", "save", "serve", "smpp_settings"]

_FROM = {
    "house": ("House", "Role", "serve"),
    "links": ("register_links", "smpp_settings"),
    "stores": ("key_secret", "open_bus", "open_store", "save"),
}


def __getattr__(name: str) -> Any:
    for module, names in _FROM.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
