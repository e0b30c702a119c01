"""A request as the endpoints see it, read in every form that real clients use (contract 0).

Numbers come as numbers or strings, flags as 1, "1" or true; how a body is read is told in `body`.
What is read here is text, a message id, a flag or a list; what it means is the endpoint's.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, ItemsView, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from esito.api.http.asgi import Scope, header
from esito.api.http.response import Response, answer_with
from esito.api.services import Services
from esito.domain.account import Account
from esito.domain.credentials import Administrator
from esito.domain.errors import MessageIdMissing, MessageNotFound
from esito.lifecycle.account_threads import MANY

T = TypeVar("T")

LARGEST_ID = 2**53 - 1
"""Message ids stay below 2**53 (design 5)."""

_YES = frozenset({"1", "true", "yes", "on"})


class Inputs:
    """The parameters of one request."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Tell whether a parameter was given; null equals absent, and so does an empty text."""
        value = self._values.get(name)
        return value is not None and value != ""

    def items(self) -> ItemsView[str, Any]:
        """Return all parameters as they came."""
        return self._values.items()

    def given(self) -> dict[str, Any]:
        """Return all parameters that were given, as they came."""
        return {name: value for name, value in self._values.items() if value is not None and value != ""}

    def raw(self, name: str) -> Any:
        """Return a parameter as it came; None when it is absent."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """Return a scalar as text; empty when it is absent, a list or an object."""
        return as_text(self._values.get(name))

    def optional(self, name: str) -> str | None:
        """Return a scalar as trimmed text; None when it is absent, empty when it is no scalar."""
        return as_text(self._values[name]).strip() if self.has(name) else None

    def flag(self, name: str) -> bool:
        """Return a flag; anything that is not plainly yes is no."""
        return self.text(name).strip().lower() in _YES


class ApiRequest(ABC):
    """One authenticated request."""

    __slots__ = ("_is_long", "_scope", "inputs", "services", "xml")

    def __init__(self, services: Services, inputs: Inputs, *, xml: bool, scope: Scope, is_long: bool = False) -> None:
        """`is_long`: the body is so long that work on it is done in a thread."""
        self.services = services
        self.inputs = inputs
        self.xml = xml
        self._scope = scope
        self._is_long = is_long

    @property
    @abstractmethod
    def turn(self) -> int:
        """By whom long work is serialised: one piece at a time for each."""

    @property
    def is_long(self) -> bool:
        """Whether the body is so long that work on it is done in a thread."""
        return self._is_long

    def header(self, name: bytes) -> str:
        """Return a header of the request, by its name in lower case; empty when it is absent."""
        return header(self._scope, name).decode("latin-1")

    def message_id(self) -> int:
        """Return `messageId`. Raises MessageIdMissing, MessageNotFound."""
        value = self.inputs.raw("messageId")
        if value is None or value == "":
            raise MessageIdMissing
        message_id = as_message_id(value)
        if message_id is None:
            raise MessageNotFound
        return message_id

    async def work(self, do: Callable[[], T], *, items: int = 0) -> T:
        """Run `do`: in a thread when the request is long or `items` are many, else at once."""
        return await self.aside(do) if self._is_long or items > MANY else do()

    async def aside(self, do: Callable[[], T]) -> T:
        """Run `do` in a thread, after earlier work of the same account."""
        return await self.services.aside.do(self.turn, do)

    def stream(self) -> asyncio.Semaphore:
        """Return the semaphore to hold while a long answer is written; it limits how many an account has at a time."""
        return self.services.aside.stream(self.turn)

    def answer(self, answer: Struct) -> Response:
        """Answer with HTTP 200, in the format asked for."""
        return answer_with(answer, xml=self.xml)


class AccountRequest(ApiRequest):
    """One request of an account."""

    __slots__ = ("account",)

    def __init__(
        self, services: Services, account: Account, inputs: Inputs, *, xml: bool, scope: Scope, is_long: bool = False
    ) -> None:
        super().__init__(services, inputs, xml=xml, scope=scope, is_long=is_long)
        self.account = account

    @property
    def turn(self) -> int:
        """All sub-accounts of an account share its turn."""
        return self.account.top


class AdminRequest(ApiRequest):
    """One request of an administrator, about the installation."""

    __slots__ = ("administrator",)

    def __init__(
        self,
        services: Services,
        administrator: Administrator,
        inputs: Inputs,
        *,
        xml: bool,
        scope: Scope,
        is_long: bool = False,
    ) -> None:
        super().__init__(services, inputs, xml=xml, scope=scope, is_long=is_long)
        self.administrator = administrator

    @property
    def turn(self) -> int:
        """No account has it."""
        return -self.administrator.id


# -- values ------------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    """Return a scalar as text; empty for null, a list or an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return ""


def as_message_id(value: Any) -> int | None:
    """Return a message id: decimal digits, blanks around them allowed; None for anything else."""
    if isinstance(value, bool):
        return None
    digits = as_text(value).strip()
    if len(digits) > 16 or not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits)
    return number if 0 < number <= LARGEST_ID else None


def as_number_text(value: Any) -> str:
    """Return a phone number as it was meant: form-decoding turns a `+` into a leading blank (contract 0)."""
    text = as_text(value)
    if text[:1] == " " and "1" <= text[1:2] <= "9":
        text = "+" + text[1:]
    return text.strip()


def wants_xml(values: Mapping[str, Any]) -> bool:
    """Tell whether `_format` asks for XML; an unknown format is JSON."""
    value = values.get("_format")
    return value is not None and as_text(value).strip().lower() == "xml"
