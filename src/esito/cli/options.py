"""Options and helpers that several commands share."""

import asyncio
import errno
import getpass
import json
import os
import socket
from collections.abc import Callable, Coroutine
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from esito.cli.terminal import say
from esito.config import ConfigError, Settings, load
from esito.config_rules import host_and_port
from esito.domain.display import visible_json

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

USUAL_CONFIG = Path("esito.toml")
AGAIN = "esito.settings_again"
FILE = "esito.settings_file"


def file_of(value: str | None) -> Path | None:
    """Return the settings file: that of `--config`, else esito.toml if it exists, else None."""
    return Path(value) if value else USUAL_CONFIG if USUAL_CONFIG.exists() else None


def _settings(ctx: click.Context, _param: click.Parameter, value: str | None) -> Settings:
    path = file_of(value)
    again = partial(load, path, os.environ)
    ctx.meta[AGAIN], ctx.meta[FILE] = again, path
    return again()


def settings_file() -> Path | None:
    """Return the settings file of this command; None if it has none."""
    file: Path | None = click.get_current_context().meta[FILE]
    return file


def load_again() -> Callable[[], Settings]:
    """Return a function that reads the settings of this command again; it raises ConfigError."""
    again: Callable[[], Settings] = click.get_current_context().meta[AGAIN]
    return again


def with_settings(command: F) -> F:
    """Give a command `settings`, read from `--config`."""
    return click.option(
        "--config",
        "settings",
        metavar="FILE",
        callback=_settings,
        help="Settings file; without it esito.toml here, if there is one.",
    )(command)


def with_json(command: F) -> F:
    """Give a command `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def with_server(command: F, *, key_required: bool = True) -> F:
    """Give a command the `url` of a server and the `api_key` of an account."""
    key = click.option(
        "--api-key",
        envvar="ESITO_API_KEY",
        show_envvar=True,
        required=key_required,
        help="Key of your account; esito account create prints one.",
    )
    return _with_url(key(command))


def _with_url(command: F) -> F:
    return click.option(
        "--url",
        envvar="ESITO_URL",
        show_envvar=True,
        default="http://127.0.0.1:8000",
        show_default=True,
        help="Where the server is.",
    )(command)


def with_installation(command: F) -> F:
    """Give a command the `url` of a server and the `admin_key` of an administrator."""
    key = click.option(
        "--admin-key",
        envvar="ESITO_ADMIN_KEY",
        show_envvar=True,
        required=True,
        help="Key of an administrator; esito admin create prints one.",
    )
    return _with_url(key(command))


def actor() -> str:
    """Return who runs this command, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in containers
        return f"cli:{os.getuid()}"


class ListenAddress(click.ParamType[str]):
    """`host:port`; port 0 means a free one."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address unchanged."""
        try:
            host_and_port(value)
        except ValueError:
            self.fail(f"{value!r} is not host:port, such as 127.0.0.1:8000 or [::1]:8000", param, ctx)
        return str(value)


class Money(click.ParamType[Decimal]):
    """An amount of zero or more, to the micro-euro."""

    name = "AMOUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount."""
        try:
            amount = Decimal(value)
            good = amount.is_finite() and 0 <= amount < 10**9 and amount == round(amount, 6)
        except InvalidOperation:
            good = False
        if not good:
            self.fail(f"{value!r} is not an amount of 0 or more with at most 6 decimals", param, ctx)
        return amount


def print_json(value: Any, *, one_line: bool = False) -> None:
    """Print a value as JSON, on one line if more output follows; amounts become text and stay exact."""
    say(visible_json(json.dumps(value, indent=None if one_line else 2, ensure_ascii=False, default=str)))


def run(doing: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine."""
    return asyncio.run(doing)


def listenable(listen: str) -> str:
    """Return the address if it can be listened on, with a free port instead of 0. Raises ConfigError.

    Check this first: the web server would share a busy port rather than refuse it.
    """
    host, port = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"{listen} is in use by another program; choose another address to listen on") from error
        raise ConfigError(f"{listen} cannot be listened on: {error.strerror}") from error
    return f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"
