"""`esito audit`: what administrators did, newest first."""

from datetime import UTC, datetime

import click

from esito.app import wiring
from esito.cli.options import print_json, run, with_json, with_settings
from esito.cli.terminal import Table, show
from esito.config import Settings
from esito.store.ledger import AuditEntry


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at the most.")
@with_json
@with_settings
def audit(limit: int, settings: Settings, *, as_json: bool) -> None:
    """List administrative acts: accounts, keys, credit, unmasking, erasing."""
    entries = run(_read(settings, limit))
    if as_json:
        print_json(
            [
                {"at": moment(one), "actor": one.actor, "act": one.act, "subject": one.subject, "details": one.details}
                for one in entries
            ]
        )
        return
    table = Table("when (UTC)", "who", "did", "to", "details")
    for one in entries:
        table.add_row(moment(one), one.actor, one.act, one.subject, one.details)
    show(table)


async def _read(settings: Settings, limit: int) -> list[AuditEntry]:
    async with wiring.open_store(settings) as store:
        return await store.ledger.audit(limit=limit)


def moment(one: AuditEntry) -> str:
    """Return when it was."""
    return datetime.fromtimestamp(one.at // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
