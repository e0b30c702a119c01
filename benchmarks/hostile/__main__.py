"""`make hostile`: an account of a million messages and strangers do their worst, for five minutes.

A well-behaved account asks and sends meanwhile, and says how long it waited while nothing went on and while everything
did, in turns. It ends with exit status 1 when a bound does not hold.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engines import serving
from benchmarks.hostile.report import broken, lines, slow
from benchmarks.hostile.run import Plan, hostile
from esito_cluster.postgres import PostgresServer


def main(words: Sequence[str] | None = None) -> int:
    """Attack both stores."""
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long, both stores together (5)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="of the big account (1,000,000)")
    parser.add_argument("--store", choices=["sqlite", "postgres"], action="append", help="one alone; both are usual")
    asked = parser.parse_args(words)
    stores = asked.store or ["sqlite", "postgres"]
    plan = Plan(messages=asked.messages)
    plan = plan.lasting(asked.minutes * 60 / len(stores))
    wrong: list[str] = []
    for store in stores:
        with tempfile.TemporaryDirectory(prefix="esito-hostile-") as folder:
            wrong += _attacked(store, plan, Path(folder))
    for line in wrong:
        print(f"DOES NOT HOLD: {line}")
    print("it does not hold" if wrong else "it holds")
    return 1 if wrong else 0


def _attacked(store: str, plan: Plan, folder: Path) -> list[str]:
    if store == "sqlite":
        seen = asyncio.run(hostile(plan, folder, f"sqlite:///{folder}/esito.db"))
    else:
        folder.chmod(0o755)  # the server of PostgreSQL is another user's
        server = PostgresServer(folder / "postgres")
        with serving(server):
            seen = asyncio.run(hostile(plan, folder, server.url))
    for line in lines(seen):
        print(line, flush=True)
    return [f"{store}: {one}" for one in (*broken(seen), *slow(seen))]


if __name__ == "__main__":
    sys.exit(main())
