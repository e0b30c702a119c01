"""Engines on loopback: PostgreSQL kept by Patroni, NATS servers and Esito's own roles, each a process of its own.

What `esito demo --cluster` starts, and the tests that kill its parts. It imports nothing of Esito.
"""
