"""The shapes of error envelopes."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from esito.api.http.schema import AnswerPart, constant, words
from esito.api.http.xml import Text
from esito.domain import errors as e

Refused = Annotated[bool, constant(value=False)]


class ErrorAnswer(AnswerPart):
    """Why a request was refused, or that it failed."""

    success: Refused
    code: int
    message: Annotated[str, Meta(description="Always French.")]


class FieldErrorItem(AnswerPart):
    """One field that cannot be used."""

    element_id: str = field(name="elementId")
    message: str


class InvalidFieldsAnswer(AnswerPart):
    """The fields that cannot be used; both lists are the same."""

    success: Refused
    code: Annotated[int, constant(9)]
    error: Annotated[list[FieldErrorItem], Meta(min_length=1)]
    errors: Annotated[list[FieldErrorItem], Meta(min_length=1)]


class NumberErrorItem(AnswerPart):
    """Why one number is not sent to."""

    success: Refused
    code: Annotated[str, words(["9", "13", "14", "15"])]
    message: str
    phone_number: Annotated[str, Meta(description="There where the message does not name it.")] | UnsetType = field(
        name="phoneNumber", default=UNSET
    )


class NothingToSendAnswer(AnswerPart):
    """No number is left that could be sent to."""

    success: Refused
    code: Annotated[int, constant(55)]
    message: str
    errors: Annotated[list[NumberErrorItem], Meta(min_length=1)]


def shape_of(error: type[e.EsitoError]) -> type[Struct]:
    """Return the shape of the envelope that tells an error."""
    shapes: dict[type[e.EsitoError], type[Struct]] = {
        e.InvalidFields: InvalidFieldsAnswer,
        e.NothingToSend: NothingToSendAnswer,
    }
    return shapes.get(error, ErrorAnswer)


def with_bare_texts(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of an answer to a send; the texts of errors stand bare in XML (contract 0.2)."""
    for name in ("errors", "SMSResponse_List"):
        for entry in members.get(name, ()):
            if "message" in entry:
                entry["message"] = Text(entry["message"])
    return members
