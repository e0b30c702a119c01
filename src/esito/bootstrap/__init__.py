"""Builds the house: the one place that names every concrete class."""

from esito.bootstrap.house import House, Role, serve
from esito.bootstrap.links import register_links, smpp_settings
from esito.bootstrap.stores import key_secret, open_bus, open_store, save

__all__ = ["House", "Role", "key_secret", "open_bus", "open_store", "register_links", "save", "serve", "smpp_settings"]
