"""Builds the application and runs it; `wiring` alone names concrete stores and logs.

Each module loads only what it needs, so that a command that opens the store loads no web server.
"""
