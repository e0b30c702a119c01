"""What belongs to the installation and is opened by administrators' keys: links, orphans, the clock."""

from esito.api import v2links, v2orphans
from esito.api.area import Area
from esito.api.front import AdminOperation
from esito.api.pages import BODY, OF_ADMINISTRATORS, Page
from esito.api.schemas import Schema, array, constant, flag, record, text
from esito.api.v2schemas import CURSOR, PAGE_LIMIT, UNMASK
from esito.domain import errors as e

_NAME = {"name": (text("Of a link."), True)}
_EDITING = (e.InvalidFields, e.NoSuchLink, e.LinkChanged)
_SETTINGS: Schema = {
    "type": "object",
    "description": "Settings of a section `[[link]]` (docs/reference/configuration.md), as JSON or as text.",
}

CLOCK_PAGE = Page(
    summary="Push the clock ahead; for demonstrations and tests.",
    answer="ClockAdvanced",
    body="ClockAdvanceRequest",
    refusals=(*BODY, *OF_ADMINISTRATORS, e.InvalidFields),
)

AREA = Area(
    operations=(
        AdminOperation("GET", "/v2/links", v2links.links),
        AdminOperation("POST", "/v2/links", v2links.add, reads_body=True),
        AdminOperation("PATCH", "/v2/links/{name}", v2links.change, reads_body=True),
        AdminOperation("DELETE", "/v2/links/{name}", v2links.remove),
        AdminOperation("GET", "/v2/orphans", v2orphans.orphans),
    ),
    pages={
        ("GET", "/v2/links"): Page(
            summary="How the links to the operators stand.", answer="Links", refusals=OF_ADMINISTRATORS
        ),
        ("POST", "/v2/links"): Page(
            summary="Add a link; running servers bind it within some seconds.",
            answer="LinkEdited",
            body="NewLink",
            refusals=(*BODY, *OF_ADMINISTRATORS, *_EDITING),
        ),
        ("PATCH", "/v2/links/{name}"): Page(
            summary="Change settings of a link, of one of the settings file too; `enabled` lays it down or binds it.",
            answer="LinkEdited",
            parameters=_NAME,
            body="LinkChange",
            refusals=(*BODY, *OF_ADMINISTRATORS, *_EDITING),
        ),
        ("DELETE", "/v2/links/{name}"): Page(
            summary="Remove a link that was added so, or by command, once nothing waits for it.",
            answer="LinkEdited",
            parameters={
                **_NAME,
                "force": (text("1: though segments wait for it, or for its operator's answer."), False),
            },
            refusals=(*OF_ADMINISTRATORS, *_EDITING, e.LinkInUse),
        ),
        ("GET", "/v2/orphans"): Page(
            summary="Receipts that match nothing, oldest first.",
            answer="OrphanPage",
            parameters={"cursor": (CURSOR, False), "limit": (PAGE_LIMIT, False), "unmask": (UNMASK, False)},
            refusals=(*OF_ADMINISTRATORS, e.InvalidFields),
        ),
        ("POST", "/v2/clock/advance"): CLOCK_PAGE,
    },
    schemas={
        "LinkEdited": record(
            {
                "success": constant(True),
                "code": constant(200),
                "link": text("Its name."),
                "changed": flag("Whether it was otherwise before."),
                "rebinds": flag("Whether it is bound anew."),
                "notes": array(text("What is worth a word."), maxItems=100),
            }
        )
    },
    bodies={
        "NewLink": {**_SETTINGS, "properties": {"name": text("Of the link.")}, "required": ["name"]},
        "LinkChange": {
            **_SETTINGS,
            "required": [],
            "properties": {"unset": array(text("A setting to have as in the file again, or as usual."), maxItems=100)},
        },
    },
    samples={
        "LinkEdited": {"success": True, "code": 200, "link": "alpha", "changed": True, "rebinds": False, "notes": []}
    },
)
