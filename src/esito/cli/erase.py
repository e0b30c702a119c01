"""`esito erase`: removes one number from all stored data, in the database directly."""

import click

from esito.app import wiring
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import Settings
from esito.domain.display import mask_for_people
from esito.domain.errors import NoSuchAccount
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.timing import RealClock
from esito.store.interface.retention_store import Erased


def _msisdn(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return normalise(value)
    except InvalidMsisdn as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("msisdn", callback=_msisdn)
@click.option("--account", "name", help="Only from what this account sent and received.")
@click.option("--forget-stop", is_flag=True, help="Also remove it from the STOP list; it can then be sent to again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_json
@with_settings
def erase(msisdn: str, name: str | None, settings: Settings, *, forget_stop: bool, yes: bool, as_json: bool) -> None:
    """Remove MSISDN from messages, receipts and replies; statuses and counts stay. It cannot be undone."""
    if not yes:
        whose = f"what {name} sent and received" if name else "what all accounts sent and received"
        click.confirm(f"Remove {mask_for_people(msisdn)} from {whose}, for ever?", abort=True, err=True)
    erased = run(_erase(settings, msisdn, name, forget_stop=forget_stop))
    if as_json:
        print_json({"recipients": erased.recipients, "replies": erased.replies, "stops": erased.stops})
        return
    say(
        f"{mask_for_people(msisdn)} was removed from {erased.recipients} recipients, {erased.replies} replies "
        f"and {erased.stops} entries of STOP lists."
    )


async def _erase(settings: Settings, msisdn: str, name: str | None, *, forget_stop: bool) -> Erased:
    async with wiring.open_store(settings, actor=actor()) as store:
        account_id = None
        if name is not None:
            found = [account.id for account, _ in await store.accounts() if account.name == name]
            if not found:
                raise NoSuchAccount(f"there is no account named {name!r}")
            account_id = found[0]
        return await store.retention.erase(
            msisdn, account_id=account_id, forget_stop=forget_stop, actor=actor(), at=RealClock().now()
        )
