"""Esito: what happened to every recipient of my message?"""

__version__ = "0.1.0"
