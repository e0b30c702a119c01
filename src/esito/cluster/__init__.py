"""Engines on loopback: PostgreSQL with standbys, NATS servers and Esito's own roles, each a process of its own."""
