"""`make receipts CASES=FILE`: play every case of a file; a line for each, and exit status 1 if one fails.

A file with a word that means nothing is not played at all: exit status 2, and a line for each such word.

`ESITO_CASES_ON` names the kind of store: `sqlite`, `postgres` or `postgres+nats`.
"""

import os
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from tests.kit.patience import PATIENCE
from tests.kit.place import prepare
from tests.receipts.case import LONGEST
from tests.receipts.runner import AT_ONCE, CASES, LOG_SERVERS, load, run_case
from tests.receipts.server import warm_up
from tests.receipts.words import UnknownWords


def main(words: list[str]) -> int:
    """`words`: a file of cases, ours when there is none, and the ids to play, all when there is none."""
    if {"-h", "--help"} & set(words):
        click.echo(__doc__)
        return 0
    path = Path(words[0]) if words else CASES
    wanted = set(words[1:])
    kind = os.environ.get("ESITO_CASES_ON", "sqlite")
    try:
        cases = [case for case in load(path) if not wanted or case["id"] in wanted]
    except UnknownWords as error:
        click.echo(str(error), err=True)
        return 2
    except OSError as error:
        click.echo(f"{path} cannot be read: {error.strerror}", err=True)
        return 2
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        click.echo(f'{path} is no file of cases, {{"cases": [...]}} in JSON: {error}', err=True)
        return 2
    if unknown := wanted - {case["id"] for case in cases}:
        click.echo(f"{path} has no case {', '.join(sorted(unknown))}", err=True)
        return 2
    prepare(kind, log_servers=LOG_SERVERS)
    warm_up()
    failed = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="case") as pool:
        for case, (problems, took) in zip(cases, pool.map(lambda case: _played(case, kind), cases), strict=True):
            failed += bool(problems)
            click.echo(f"{'FAIL' if problems else 'ok  '} {case['id']:6} {case['title']}  ({took:.1f} s)")
            for problem in problems:
                click.echo(f"       {problem}")
    click.echo(f"{len(cases) - failed} of {len(cases)} cases hold")
    return 1 if failed else 0


def _played(case: dict[str, Any], kind: str) -> tuple[list[str], float]:
    """Play a case; return what does not hold, and the seconds it took."""
    began = time.monotonic()
    try:
        problems = run_case(case, kind, patience=min(PATIENCE, LONGEST))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        problems = [f"the runner stopped: {error!r} at {last.filename}:{last.lineno}"]
    return problems, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
