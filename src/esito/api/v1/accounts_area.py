"""What the OpenAPI document says of sub-accounts, statistics and lookups (contract 4.3 to 4.5)."""

from esito.api import plans
from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import BODY, KEY, EndpointDoc
from esito.api.http.schemas import API_KEY, FORMAT, array, constant, flag, integer, number, record, ref, text
from esito.api.v1 import lookup, statistics, subaccounts
from esito.domain import errors as e

_GOOD = {"success": constant(True), "code": constant(200)}
_DAY = text("`dd-mm-YYYY`; with `custom` it is required.", pattern="^[0-9]{2}-[0-9]{2}-[0-9]{4}$")
_TOKEN = text("As creating or listing showed it.", minLength=1)
_CREATING = (
    e.SubaccountsNotAllowed,
    e.BuyerMissing,
    e.SubaccountTypeMissing,
    e.SubaccountTypeUnknown,
    e.EmailMissing,
    e.EmailTaken,
    e.CreditNotPositive,
    e.BalanceTooLow,
)
_MOVING = (
    e.SubaccountsNotAllowed,
    e.CreditMissing,
    e.CreditInvalid,
    e.TokenMissing,
    e.SubaccountNotFound,
    e.TransferBalanceTooLow,
    e.SubaccountBalanceTooLow,
)
_CREATE = EndpointDoc(
    summary="Make a sub-account, with credit of one's own if wanted.",
    answer="SubaccountCreated",
    body="SubaccountRequest",
    refusals=(*BODY, *KEY, *_CREATING),
)

AREA = Area(
    operations=(
        Operation("POST", "/v1/subaccount/create", subaccounts.create, reads_body=True),
        Operation("GET", "/v1/subaccount/create", subaccounts.create, reads_body=True),
        Operation("GET", "/v1/subaccount/list", subaccounts.list_),
        Operation("POST", "/v1/subaccount/credit/add", subaccounts.add_credit, reads_body=True),
        Operation("POST", "/v1/subaccount/credit/remove", subaccounts.remove_credit, reads_body=True),
        Operation("DELETE", "/v1/subaccount/remove", subaccounts.remove, reads_body=True),
        Operation("POST", "/v2/subaccounts/rotate-key", subaccounts.rotate_key, reads_body=True, bearer=True),
        Operation("GET", "/v1/statistics/cost-resume", statistics.cost_resume),
        Operation("POST", "/v1/lookup", lookup.lookup, reads_body=True),
    ),
    pages={
        ("POST", "/v1/subaccount/create"): _CREATE,
        ("GET", "/v1/subaccount/create"): _CREATE,
        ("GET", "/v1/subaccount/list"): EndpointDoc(
            summary="The sub-accounts, twenty to a page.",
            answer="SubaccountList",
            parameters={"page": (integer(minimum=1, default=1), False)},
            refusals=KEY,
        ),
        ("POST", "/v1/subaccount/credit/add"): EndpointDoc(
            summary="Give credit to a sub-account.",
            answer="CreditMoved",
            body="CreditRequest",
            form=True,
            refusals=(*BODY, *KEY, *_MOVING),
        ),
        ("POST", "/v1/subaccount/credit/remove"): EndpointDoc(
            summary="Take credit back from a sub-account.",
            answer="CreditMoved",
            body="CreditRequest",
            form=True,
            refusals=(*BODY, *KEY, *_MOVING),
        ),
        ("DELETE", "/v1/subaccount/remove"): EndpointDoc(
            summary="Remove a sub-account: its key opens nothing any more, its credit comes back.",
            answer="SubaccountRemoved",
            body="SubaccountRemovalRequest",
            form=True,
            refusals=(*BODY, *KEY, e.RemovalTokenMissing, e.SubaccountGone),
        ),
        ("POST", "/v2/subaccounts/rotate-key"): EndpointDoc(
            summary="Give a sub-account a new key; the one before opens nothing any more.",
            answer="SubaccountKey",
            body="SubaccountKeyRequest",
            refusals=(*BODY, *KEY, e.TokenMissing, e.SubaccountNotFound),
        ),
        ("GET", "/v1/statistics/cost-resume"): EndpointDoc(
            summary="What was spent, month by month; five times a minute.",
            answer="CostResume",
            parameters={
                "interval": ({"enum": ["last_month", "last_twelve_months", "custom"]}, True),
                "from": (_DAY, False),
                "to": (_DAY, False),
            },
            refusals=(*KEY, e.IntervalInvalid, e.TooManyRequests),
        ),
        ("POST", "/v1/lookup"): EndpointDoc(
            summary="What numbers are by the numbering plans; 360 times a minute.",
            answer="LookedUp",
            body="LookupRequest",
            form=True,
            refusals=(
                *BODY,
                *KEY,
                e.TooManyRequests,
                e.NumbersNotSeparated,
                e.PhoneNumberMissing,
                e.TooManyRecipients,
                e.LookupUnavailable,
            ),
        ),
    },
    schemas={
        "SubaccountCreated": record(
            {
                **_GOOD,
                "subaccount": record({"email": text(), "token": text()}),
                "sendConfirmMailTo": text("Esito sends no mail; the address is repeated."),
                "parent_email": text(),
            }
        ),
        "Subaccount": record(
            {
                "id": integer(),
                "email": text(),
                "type": {"enum": ["simple", "advanced"]},
                "token": text(),
                "apiKey": text("Made of the token and the installation's secret; it is kept nowhere."),
                "createdAt": text("Paris date and time."),
                "credits": record({"balance": text("Three decimal places."), "currency": text()}),
            }
        ),
        "SubaccountList": record(
            {
                **_GOOD,
                "total": integer(minimum=0),
                "nb_per_page": constant(subaccounts.PER_PAGE),
                "page": integer(minimum=1),
                "data": array(ref("Subaccount")),
            }
        ),
        "CreditMoved": record(
            {
                **_GOOD,
                "credit": number("What is left of one's own."),
                "subaccountCredit": number("What the sub-account has then."),
                "currency": text(),
            }
        ),
        "SubaccountRemoved": record(dict(_GOOD)),
        "SubaccountKey": record({**_GOOD, "apiKey": text("As the list shows it from now on.")}),
        "MonthSpent": record(
            {
                "month": {"enum": list(statistics.NAMES)},
                "year": text(pattern="^[0-9]{4}$"),
                "m": text(pattern="^[0-9]{1,2}$"),
                "date": integer("When the month begins in Paris, Unix seconds."),
                "type": constant("month"),
                "cost": text(),
                "nb_send": text("Segments.", pattern="^[0-9]+$"),
            }
        ),
        "CostResume": record({"success": constant(True), "datas": array(ref("MonthSpent"))}),
        "NumberFound": record(
            {
                "request": text("As it was asked."),
                "success": constant(True),
                "countryCode": text("The name of a country, in French."),
                "prefixCode": integer("Calling code."),
                "phoneNumber": text("E.164 with plus."),
                "type": text(),
                "network": text("That the number was given to; empty where it is not known."),
                "format": record({"e164": text(), "international": text(), "national": text(), "rfc3966": text()}),
            }
        ),
        "NumberNotFound": record({"request": text(), "success": constant(False), "message": constant(plans.INVALID)}),
        "LookedUp": record({**_GOOD, "lookup": array({"oneOf": [ref("NumberFound"), ref("NumberNotFound")]})}),
    },
    bodies={
        "SubaccountRequest": record(
            {
                "apiKey": API_KEY,
                "type": {"enum": ["simple", "advanced"]},
                "parameters": record(
                    {
                        "email": text(pattern="^[a-z0-9]{1,20}@[a-z0-9]{1,20}$"),
                        "isBuyer": flag("Whether it buys for itself; kept nowhere, but required."),
                        "creditToAttribute": number(exclusiveMinimum=0, multipleOf=0.001, maximum=1000),
                        "title": text(),
                        "firstname": text(),
                        "lastname": text(),
                    },
                    optional=("creditToAttribute", "title", "firstname", "lastname"),
                    closed=False,
                ),
                "_format": FORMAT,
            },
            optional=("_format",),
            closed=False,
        ),
        "CreditRequest": record(
            {
                "apiKey": API_KEY,
                "credit": number(exclusiveMinimum=0, multipleOf=0.001, maximum=1000),
                "tokenSubaccount": _TOKEN,
                "_format": FORMAT,
            },
            optional=("_format",),
            closed=False,
        ),
        "SubaccountRemovalRequest": record(
            {"apiKey": API_KEY, "token": _TOKEN, "_format": FORMAT}, optional=("_format",), closed=False
        ),
        "SubaccountKeyRequest": record({"token": _TOKEN}, closed=False),
        "LookupRequest": record(
            {
                "apiKey": API_KEY,
                "phoneNumbers": text("Separated by commas, at most 500.", minLength=1),
                "_format": FORMAT,
            },
            optional=("_format",),
            closed=False,
        ),
    },
    samples={
        "SubaccountCreated": {
            "success": True,
            "code": 200,
            "subaccount": {"email": "branch@example.org", "token": "5b7c1f0e9d2a44c8b6e3f1a2c4d5e6f7"},
            "sendConfirmMailTo": "branch@example.org",
            "parent_email": "office@example.org",
        },
        "SubaccountList": {
            "success": True,
            "code": 200,
            "total": 1,
            "nb_per_page": 20,
            "page": 1,
            "data": [
                {
                    "id": 2,
                    "email": "branch@example.org",
                    "type": "simple",
                    "token": "5b7c1f0e9d2a44c8b6e3f1a2c4d5e6f7",
                    "apiKey": "0f3c6b1d9a4e7f2085b1c3d5e7f90a1b2c3d4e5f",
                    "createdAt": "2026-11-23 14:00:00",
                    "credits": {"balance": "10.000", "currency": "EUR"},
                }
            ],
        },
        "CreditMoved": {"success": True, "code": 200, "credit": 90, "subaccountCredit": 10, "currency": "EUR"},
        "SubaccountRemoved": {"success": True, "code": 200},
        "SubaccountKey": {"success": True, "code": 200, "apiKey": "7a2c6b1d9a4e7f2085b1c3d5e7f90a1b2c3d4e5f"},
        "CostResume": {
            "success": True,
            "datas": [
                {
                    "month": "october",
                    "year": "2026",
                    "m": "10",
                    "date": 1790805600,
                    "type": "month",
                    "cost": "0.09",
                    "nb_send": "2",
                }
            ],
        },
        "LookedUp": {
            "success": True,
            "code": 200,
            "lookup": [
                {
                    "request": "0611111111",
                    "success": True,
                    "countryCode": "France",
                    "prefixCode": 33,
                    "phoneNumber": "+33611111111",
                    "type": "mobile",
                    "network": "SFR",
                    "format": {
                        "e164": "+33611111111",
                        "international": "+33 6 11 11 11 11",
                        "national": "06 11 11 11 11",
                        "rfc3966": "tel:+33-6-11-11-11-11",
                    },
                },
                {"request": "12", "success": False, "message": "Le numéro de téléphone est vide ou n'est pas valide."},
            ],
        },
    },
)
