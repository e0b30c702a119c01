"""`esito account set` and `esito account credit`: the settings and the credit of an account."""

import dataclasses
import re
import types
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, get_type_hints

import click

from esito.app import wiring
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import PricingSettings, Settings
from esito.domain.account import ANYWHERE, HEAVIEST, ISO_COUNTRIES, Account, Profile
from esito.domain.msisdn import country_of
from esito.domain.pricing import to_micros
from esito.domain.timing import RealClock

KINDS = get_type_hints(Profile)
FIELDS = {field.name: KINDS[field.name] for field in dataclasses.fields(Profile)}
SECRET = frozenset({"signing_secret"})


def read_changes(written: Sequence[str]) -> dict[str, object]:
    """Parse settings of the form `name=value`, lists with commas. Raises click.BadParameter."""
    changes: dict[str, object] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals or name not in FIELDS:
            raise click.BadParameter(f"{one!r} is not NAME=VALUE with one of the names {', '.join(FIELDS)}")
        changes[name] = _value(name, value.strip(), FIELDS[name])
    return changes


def _value(name: str, text: str, kind: Any) -> object:
    if kind is bool:
        if text.lower() not in {"true", "false"}:
            raise click.BadParameter(f"{name} is true or false, not {text!r}")
        return text.lower() == "true"
    if kind is int:
        if not (text.isascii() and text.isdecimal()):
            raise click.BadParameter(f"{name} is a whole number, 0 or more, not {text!r}")
        if name == "weight" and not 1 <= int(text) <= HEAVIEST:
            raise click.BadParameter(f"weight is a whole number, 1 to {HEAVIEST}, not {text!r}")
        return int(text)
    if kind is Decimal:
        return _amount(name, text)
    if isinstance(kind, types.GenericAlias):
        items = tuple(item.strip().removeprefix("+") for item in text.split(",") if item.strip())
        if name == "numbers" and not all(re.fullmatch(r"[1-9][0-9]{7,14}", item) for item in items):
            raise click.BadParameter(f"{name} are numbers with their calling code, such as 33644556677, not {text!r}")
        return _countries(items, text) if name == "countries" else items
    if issubclass(kind, Enum):
        try:
            return kind(text)
        except ValueError:
            words = ", ".join(str(one.value) for one in kind)
            raise click.BadParameter(f"{name} is one of {words}, not {text!r}") from None
    return text


def _amount(name: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
        if amount.is_finite() and 0 <= amount < 10**9 and amount == round(amount, 6):
            return amount
    except InvalidOperation:
        pass
    raise click.BadParameter(f"{name} is an amount of 0 or more with at most 6 decimals, not {text!r}")


def _countries(items: tuple[str, ...], text: str) -> tuple[str, ...]:
    countries = tuple(item.upper() for item in items)
    if not ISO_COUNTRIES.issuperset(set(countries) - {ANYWHERE}):
        raise click.BadParameter(f"countries are codes of ISO 3166, such as FR,BE, or {ANYWHERE} for all, not {text!r}")
    return countries


def _without_price(countries: Sequence[str], pricing: PricingSettings) -> list[str]:
    """Return the countries without a price: nothing can be sent there."""
    priced = {pricing.home, ANYWHERE, *pricing.countries, *map(country_of, pricing.prefixes)}
    return [country for country in countries if country not in priced]


@click.command("set")
@click.argument("name")
@click.argument("changes", metavar="FIELD=VALUE...", nargs=-1)
@with_json
@with_settings
def set_(name: str, changes: tuple[str, ...], settings: Settings, *, as_json: bool) -> None:
    """Change settings of an account; without any, show them."""
    changed = read_changes(changes)
    account = run(_set(settings, name, changed))
    if "countries" in changed and (missing := _without_price(account.profile.countries, settings.pricing)):
        say(f"There is no price for {', '.join(missing)} in [pricing], so nothing is sent there yet.", err=True)
    shown = {field: _shown(field, getattr(account.profile, field)) for field in FIELDS}
    if as_json:
        print_json({"account": name, "profile": shown})
        return
    for field, value in shown.items():
        say(f"{field} = {value}")


def _shown(field: str, value: object) -> object:
    if field in SECRET:
        return "(set)" if value else ""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.value if isinstance(value, Enum) else value


async def _set(settings: Settings, name: str, changes: dict[str, object]) -> Account:
    async with wiring.open_store(settings, actor=actor()) as store:
        if changes:
            return await store.change_profile(name, changes)
        for account, _ in await store.accounts():
            if account.name == name:
                return account
    raise click.ClickException(f"there is no account named {name!r}")


class CreditChange(click.ParamType[Decimal]):
    """A positive or negative amount, to the micro-euro."""

    name = "AMOUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount."""
        try:
            amount = Decimal(value)
            good = amount.is_finite() and abs(amount) < 10**9 and amount == round(amount, 6) and amount != 0
        except InvalidOperation:
            good = False
        if not good:
            self.fail(f"{value!r} is not an amount such as 10 or -2.50", param, ctx)
        return amount


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("amount", type=CreditChange())
@with_json
@with_settings
def credit(name: str, amount: Decimal, settings: Settings, *, as_json: bool) -> None:
    """Add AMOUNT to the credit of an account; a negative one is deducted."""
    left = run(_grant(settings, name, amount))
    if as_json:
        print_json({"account": name, "credit": str(left)})
    else:
        say(f"Account {name} has {left:f} left.")


async def _grant(settings: Settings, name: str, amount: Decimal) -> Decimal:
    async with wiring.open_store(settings, actor=actor()) as store:
        return await store.ledger.grant(name, to_micros(amount), actor=actor(), at=RealClock().now())
