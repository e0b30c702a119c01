"""Builds the house: the one place that names every concrete class.

Each door is a module of its own, so that a command that looks into the store loads no server.
"""
