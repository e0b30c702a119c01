"""What requests and answers are made of: the bases of their Structs, and types of members that occur in several.

msgspec derives the JSON schema of a Struct. `Meta` says what a Python type does not: a pattern, a bound, a sentence.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from esito.domain.states import PUBLIC_WORDS

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"


class GoodAnswer(Struct, forbid_unknown_fields=True):
    """The members of a good answer; `success` and `code` 200 come before them."""


class AnswerPart(Struct, forbid_unknown_fields=True):
    """An object within an answer, or an answer that is written without `success` and `code`."""


class Parameters(Struct):
    """What a request says in its path and query, or in its body; what has a default may be left out.

    It describes and does not parse: handlers read each parameter by name, in all the forms that clients write.
    """

    other_names: ClassVar[tuple[str, ...]] = ()
    """Older names of members, which are read too."""
    more_schema: ClassVar[Mapping[str, object]] = {}
    """What the JSON schema says beyond the members."""


# -- what `Meta` says --------------------------------------------------------------------------


def constant(value: object) -> Meta:
    """Say that a member is always the same."""
    return Meta(extra_json_schema={"const": value})


def words(values: Iterable[object], description: str | None = None) -> Meta:
    """Say which words there are, each once, in their order."""
    once = {repr(one): one for one in values}  # by repr: 1 and True are two words
    return Meta(extra_json_schema={"enum": list(once.values())}, description=description)


def counts(names: Iterable[str]) -> Meta:
    """Say that an object has a number under each of these names, and no other."""
    several = list(dict.fromkeys(names))
    properties = {name: {"type": "integer", "minimum": 0} for name in several}
    only = {"enum": several}
    return Meta(extra_json_schema={"properties": properties, "required": several, "propertyNames": only})


def one_of(*structs: type[Struct]) -> Meta:
    """Say that a value is one of these; msgspec knows unions of Structs only with a tag."""
    references = [reference(one) for one in structs]
    return Meta(extra_json_schema={"oneOf": references}, extra={"structs": structs})


def names_a(thing: str) -> Meta:
    """Say that a parameter names something that belongs to an account; tests ask for another account's by it."""
    return Meta(extra={"thing": thing})


# -- members -----------------------------------------------------------------------------------

Count = Annotated[int, Meta(ge=0)]
Digits = Annotated[str, Meta(pattern="^[0-9]+$")]
E164 = Annotated[str, Meta(pattern=r"^\+[0-9]{8,15}$", description="E.164 with plus.")]
Flag = Annotated[object, words([0, 1, "0", "1", True, False])]
"""Of a request: 1, "1" or true."""
ListId = Annotated[int, Meta(ge=1)]
MessageIdOut = Annotated[int, Meta(ge=1, description="An integer here.")]
MessageIdText = Annotated[str, Meta(pattern="^[0-9]+$", description="A string here.")]
Milliseconds = Annotated[int, Meta(description="Milliseconds since the epoch, UTC.")]
ParisTime = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}$", description="Paris date and time.")]
Price = Annotated[float, Meta(ge=0, description="At most three decimal places.")]
PublicStatus = Annotated[str, words(sorted(set(PUBLIC_WORDS.values())))]
StringFlag = Annotated[str, words(["0", "1"])]
UnixDigits = Annotated[str, Meta(pattern="^[0-9]+$", description="Unix seconds of the last change.")]

# -- parameters --------------------------------------------------------------------------------

ApiKey = Annotated[str, Meta(description="Key of the account; may stand in the query instead.")]
Format = Annotated[
    str,
    Meta(
        description="`json` or `xml`, in any case of letters; anything else is JSON.",
        extra_json_schema={"default": "json"},
    ),
]
MessageId = Annotated[
    int,
    Meta(ge=1, le=2**53 - 1, description="The id a send was answered with, as a number or as digits."),
    names_a("message"),
]
AnyNumber = Annotated[
    str,
    Meta(
        description="French (`06...`) or international: `+`, `00` or the bare country code, but for nine digits, which"
        " need the `+`.",
        examples=["+33611111111"],
    ),
]


# -- schemas -----------------------------------------------------------------------------------


def reference(struct: type[Struct]) -> Schema:
    """Return a reference to the schema of a Struct."""
    return {"$ref": REFERENCE.format(name=struct.__name__)}


def properties_of(struct: type[Struct]) -> Iterator[tuple[str, bool, Schema]]:
    """Yield name, whether it is required, and schema of each member."""
    _, components = msgspec.json.schema_components([struct], ref_template=REFERENCE)
    schema = components[struct.__name__]
    for name, member in schema["properties"].items():
        yield name, name in schema["required"], member


def components(structs: Iterable[type[Struct]]) -> dict[str, Schema]:
    """Return the schemas of Structs and of all that they consist of, by name."""
    wanted = dict.fromkeys(part for struct in structs for part in _parts(struct))
    _, found = msgspec.json.schema_components(list(wanted), ref_template=REFERENCE)
    for struct in wanted:
        if issubclass(struct, GoodAnswer):
            found[struct.__name__] = _with_envelope(found[struct.__name__])
        elif issubclass(struct, Parameters):
            found[struct.__name__] |= struct.more_schema
    return found


def things_of(struct: type[Struct]) -> dict[str, str]:
    """Return which parameters name something of an account (`names_a`), and what; items of lists count too."""
    found = {}
    for part in _parts(struct):
        for name, hint in zip(part.__struct_encode_fields__, _hints(part), strict=True):
            for meta in _metas_within(hint):
                if meta.extra and "thing" in meta.extra:
                    found[name] = meta.extra["thing"]
    return found


def _with_envelope(schema: Schema) -> Schema:
    envelope = {"success": {"const": True}, "code": {"const": 200}}
    return {
        **schema,
        "properties": envelope | schema["properties"],
        "required": [*envelope, *schema.get("required", [])],
    }


def _parts(struct: type[Struct]) -> Iterator[type[Struct]]:
    """Yield a Struct and all Structs that its members are made of."""
    yield struct
    for hint in _hints(struct):
        for inner in _structs_in(hint):
            yield from _parts(inner)


def _hints(struct: type[Struct]) -> list[Any]:
    hints = get_type_hints(struct, include_extras=True)
    return [hints[name] for name in struct.__struct_fields__]


def _structs_in(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for meta in _metas(hint):
        yield from (meta.extra or {}).get("structs", ())
    for inner in get_args(hint):
        yield from _structs_in(inner)


def _metas_within(hint: Any) -> Iterator[Meta]:
    """Yield what is said of a member, and of each of the types that it may have."""
    yield from _metas(hint)
    for inner in get_args(hint):
        yield from _metas_within(inner)


def _metas(hint: Any) -> list[Meta]:
    return [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Meta)]
