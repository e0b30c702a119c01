"""How SQLite reads what the shared statements leave open (`store.statements`)."""

from esito.store.statements import Dialect

ROWS = "%rows%"
"""Stands for as many bracketed rows of parameters as one call brings."""

SQLITE = Dialect(
    name="sqlite",
    parameter="?",
    rows=lambda _, alias: f"(VALUES {ROWS}) AS {alias}",
    values=lambda _: f"VALUES {ROWS}",
    joined="json_each(:{}) AS {}".format,
    fragments={
        "in": "IN (SELECT value FROM json_each(:{}))".format,
        # One array for all of the answer: the engine makes it in one step, without Python's interpreter lock.
        "many": "json_group_array(json_array({}))".format,
        "is loose": "{} IS NULL".format,
        "or null": "{}".format,
        "now": lambda _: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        "sqlite": "{}".format,
        "postgres": lambda _: "",
    },
    rewrite=lambda text: text,
)
