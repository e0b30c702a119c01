"""Builds the house: the one place that names every concrete class."""

from esito.bootstrap.house import House, Role, serve
from esito.bootstrap.links import smpp_settings
from esito.bootstrap.stores import key_secret, open_bus, open_store

__all__ = ["House", "Role", "key_secret", "open_bus", "open_store", "serve", "smpp_settings"]
