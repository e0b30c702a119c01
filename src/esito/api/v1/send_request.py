"""What a send may say: the bodies of send and bulk-send (contract 2.1, 2.2); `send_fields` reads them."""

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.schema import AnyNumber, Flag, Parameters, words
from esito.domain.message import MAX_RECIPIENTS, MAX_TAG_LENGTH
from esito.domain.turns import HIGHEST_PRIORITY, LOWEST_PRIORITY

PhoneNumbers = Annotated[
    str, Meta(min_length=1, description="Separated by commas, at most 500; an array is taken too.")
]
MessageText = Annotated[
    str, Meta(min_length=1, description="`:br:` is a line break, `:euro:` the euro sign; at most 10 segments.")
]

_PRIORITIES = range(LOWEST_PRIORITY, HIGHEST_PRIORITY + 1)


class FewOptions(Parameters, kw_only=True):
    """What every send may say beside numbers and text."""

    other_names: ClassVar[tuple[str, ...]] = ("webhookUrl",)

    tag: Annotated[str, Meta(pattern=f"^[!-~]{{1,{MAX_TAG_LENGTH}}}$", description="No spaces.")] | UnsetType = UNSET
    url_dlr: (
        Annotated[
            str,
            Meta(
                description="Called with every change of status; `webhookUrl` means the same.",
                extra_json_schema={"format": "uri"},
            ),
        ]
        | UnsetType
    ) = field(name="urlDlr", default=UNSET)
    url_response: (
        Annotated[str, Meta(description="Called with every reply.", extra_json_schema={"format": "uri"})] | UnsetType
    ) = field(name="urlResponse", default=UNSET)
    is_stop_sms: Annotated[
        Flag,
        Meta(
            description="Append how to stop such messages: ` STOP au ` and the number they come from; premium only.",
        ),
    ] = field(name="isStopSms", default=UNSET)
    sandbox: Annotated[Flag, Meta(description="Nothing is sent and nothing charged.")] = UNSET


class AllOptions(FewOptions, kw_only=True):
    """What a send from a sender or a short code may say beside numbers and text."""

    other_names: ClassVar[tuple[str, ...]] = ("webhookUrl", "range")

    gamme: Annotated[object, words([1, 2, "1", "2"], "1 premium, 2 low cost; `range` means the same.")] = UNSET
    priority: Annotated[
        object,
        words(
            [*_PRIORITIES, *map(str, _PRIORITIES)],
            "Which of your messages leave first: 3 before 2, 2 before 1; absent: 0. A field of Esito's own.",
        ),
    ] = UNSET
    sender: (
        Annotated[
            str,
            Meta(
                pattern="^[A-Za-z0-9][A-Za-z0-9 .-]+[A-Za-z0-9.-]$",
                max_length=11,
                description="Absent: the operator's short code.",
            ),
        ]
        | UnsetType
    ) = UNSET
    reference: Annotated[str, Meta(pattern="^[!-~]{1,64}$", description="Your own id.")] | UnsetType = UNSET
    scheduled_delivery_date: (
        Annotated[str, Meta(pattern="^[0-9]{2}/[0-9]{2}/[0-9]{4}$", description="`dd/MM/yyyy`, Paris.")] | UnsetType
    ) = field(name="scheduledDeliveryDate", default=UNSET)
    time: Annotated[int, Meta(ge=0, le=24, description="Hour; with a date it is required.")] | UnsetType = UNSET
    minute: (
        Annotated[int, Meta(ge=0, le=55, multiple_of=5, description="In steps of 5; with a date it is required.")]
        | UnsetType
    ) = UNSET
    is_unicode: Annotated[Flag, Meta(description="70 characters to a segment, and any character.")] = field(
        name="isUnicode", default=UNSET
    )


class SendRequest(AllOptions, kw_only=True):
    """One text and the numbers it goes to; `SMSList` makes it a BulkSendRequest."""

    other_names: ClassVar[tuple[str, ...]] = (*AllOptions.other_names, "SMSList")

    phone_numbers: PhoneNumbers = field(name="phoneNumbers")
    message: MessageText


class TextAndNumber(Parameters):
    """One number and its text."""

    phone_number: AnyNumber = field(name="phoneNumber")
    message: MessageText


class BulkSendRequest(AllOptions, kw_only=True):
    """Pairs of number and text."""

    pairs: Annotated[list[TextAndNumber], Meta(min_length=1, max_length=MAX_RECIPIENTS)] = field(name="SMSList")
