"""Answers, and the one table that maps refusals to code, text and HTTP status."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from esito.api.xml import Text, Value, to_xml, to_xml_element
from esito.domain import errors as e

JSON_TYPE = b"application/json"
XML_TYPE = b"application/xml"

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, ready to be written."""

    status: int
    content_type: bytes
    body: bytes
    headers: Headers = ()
    """Beyond type and length."""


@dataclass(frozen=True, slots=True)
class StreamedAnswer(Answer):
    """An answer too long to be held: after `body` its pieces are written as they come."""

    pieces: AsyncGenerator[bytes, None] | None = None


class Meaning(NamedTuple):
    """How a refusal is told."""

    code: int
    text: str
    status: int = 0
    """HTTP status; 0: the configured one of error envelopes (contract 0.1)."""


MEANINGS: dict[type[e.EsitoError], Meaning] = {
    e.ApiKeyMissing: Meaning(1, "La Clé API est requise"),
    e.PhoneNumberMissing: Meaning(2, "Le numéro de téléphone est requis"),
    e.StopNumberInvalid: Meaning(9, "Le numéro de téléphone est invalide"),
    e.StopIdMissing: Meaning(3, "L'ID du numéro est requis"),
    e.StopNotFound: Meaning(4, "L'ID du numéro introuvable"),
    e.MessageIdMissing: Meaning(3, "L'ID du message est requis"),
    e.MessageNotFound: Meaning(4, "Message introuvable"),
    e.NoSuchMessage: Meaning(4, "Message introuvable", 404),
    e.NoSuchCallback: Meaning(404, "Notification introuvable", 404),
    e.NumberListEmpty: Meaning(5, "La liste des numéros est vide"),
    e.BadFormat: Meaning(6, "Le format n'est pas correct"),
    e.InvalidFields: Meaning(9, ""),
    e.ApiKeyUnknown: Meaning(10, "Clé API incorrecte"),
    e.AlreadyCancelled: Meaning(5, "L'envoi du SMS a déjà été annulé"),
    e.TooLateToCancel: Meaning(6, "Vous ne pouvez pas annuler l'envoi d'un SMS moins de 5 minutes avant son envoi"),
    e.AlreadySent: Meaning(7, "Vous ne pouvez pas annuler un SMS déjà envoyé"),
    e.NotEnoughCredit: Meaning(11, "Manque de crédits"),
    e.DailyCeilingReached: Meaning(11, "Le plafond journalier du compte est atteint"),
    e.AccountDisabled: Meaning(20, "Compte désactivé"),
    e.AccountBlocked: Meaning(30, "Compte bloqué"),
    e.CommercialHour: Meaning(22, "Un SMS commercial ne peut être envoyé qu'entre 8h et 22h"),
    e.CommercialDay: Meaning(23, "Un SMS commercial ne peut être envoyé un dimanche ou un jour férié"),
    e.ApiRefused: Meaning(40, "L'accès à l'API est refusé"),
    e.LowCostTooLong: Meaning(42, "Un SMS low cost ne peut excéder 160 caractères"),
    e.TooManyRecipients: Meaning(50, "Le nombre de numéros autorisés est de 500 maxi"),
    e.LowCostNotEligible: Meaning(51, "La gamme lowcost n'est pas éligible"),
    e.TooManySegments: Meaning(52, "Le nombre de SMS concaténés ne peut excéder 10 SMS"),
    e.NothingToSend: Meaning(55, "Aucun numéro à envoyer"),
    e.MalformedJson: Meaning(90, "Le JSON est malformé: erreur de syntaxe"),
    # Sub-accounts (contract 4.4): the numbers are the contract's, the words mostly ours.
    e.SubaccountsNotAllowed: Meaning(2, "Vous n'avez pas le droit de créer un sous-compte"),
    e.BuyerMissing: Meaning(3, "Le paramètre isBuyer est requis"),
    e.SubaccountTypeMissing: Meaning(4, "Le type de sous-compte est requis"),
    e.SubaccountTypeUnknown: Meaning(5, "Le type de sous-compte est inconnu"),
    e.EmailMissing: Meaning(6, "L'email est requis"),
    e.EmailTaken: Meaning(7, "L'email est déjà utilisé"),
    e.CreditNotPositive: Meaning(8, "Le crédit doit être supérieur à 0"),
    e.BalanceTooLow: Meaning(9, "Votre solde est insuffisant"),
    e.CreditMissing: Meaning(3, "Le crédit est requis"),
    e.CreditInvalid: Meaning(4, "Le crédit doit être supérieur à 0"),
    e.TokenMissing: Meaning(5, "Le token du sous-compte est requis"),
    e.SubaccountNotFound: Meaning(6, "Le sous-compte est introuvable"),
    e.TransferBalanceTooLow: Meaning(7, "Votre solde est insuffisant"),
    e.SubaccountBalanceTooLow: Meaning(8, "Le solde du sous-compte est insuffisant"),
    e.RemovalTokenMissing: Meaning(1, "Le token est requis"),
    e.SubaccountGone: Meaning(404, "Le sous-compte est introuvable", 404),
    e.IntervalInvalid: Meaning(3, "L'intervalle n'est pas valide"),
    e.NumbersNotSeparated: Meaning(3, "Les numéros doivent-être séparés par une virgule"),
    e.TooManyRequests: Meaning(429, "Trop de requêtes, veuillez réessayer plus tard", 429),
    e.LookupUnavailable: Meaning(501, "Ce service n'est pas installé sur ce serveur", 501),
    e.IdempotencyKeyReused: Meaning(409, "Cette clé d'idempotence a déjà servi à une autre demande", 409),
    e.NumberInUse: Meaning(409, "Un envoi à ce numéro n'est pas terminé, il pourra être effacé après le {} UTC", 409),
    e.NumberInvalid: Meaning(9, "Le numéro de téléphone est invalide"),
    e.SenderNotAllowed: Meaning(992, "Sender non autorisé"),
    e.AddressNotAllowed: Meaning(96, "L'IP n'est pas autorisée"),
    e.ForAdministrators: Meaning(403, "Réservé aux administrateurs", 403),
    e.UnmaskingNotAllowed: Meaning(403, "Ce compte ne peut pas voir les numéros en entier", 403),
    e.NoSuchLink: Meaning(404, "Ce lien n'existe pas", 404),
    e.LinkInUse: Meaning(409, "Des SMS attendent encore ce lien, ou une réponse de son opérateur", 409),
    e.LinkChanged: Meaning(409, "Ce lien vient d'être changé par quelqu'un d'autre", 409),
    e.NoSuchPath: Meaning(404, "Page introuvable", 404),
    e.WrongMethod: Meaning(405, "Méthode non autorisée", 405),
    e.BodyTooLarge: Meaning(413, "Le corps de la requête est trop volumineux", 413),
    e.EncodingUnknown: Meaning(415, "Le corps de la requête ne peut pas être compressé", 415),
    e.RepeatedHeader: Meaning(400, "Un en-tête de la requête est répété", 400),
    e.HeadersTooLarge: Meaning(431, "Les en-têtes de la requête sont trop volumineux", 431),
    e.StoreUnavailable: Meaning(500, "Le service est momentanément indisponible", 503),
}
"""Every refusal (contract 1, 2.6, 5). A text the contract gives in other words than French is ours."""

FAILURE = Meaning(500, "Une erreur est survenue, votre demande n'a pas pu être traitée", 500)

NUMBER_TEXTS = {
    9: "Le téléphone ({}) n'est pas être un numéro de mobile",
    13: "Aucun prix par défaut n'a été trouvé pour les numéros suivant ({})",
    14: "Le numéro est dans la liste des STOP SMS",
    15: "Le numéro est déjà présent dans la liste",
}
"""Why a number was left out of a send (contract 2.6 and 5); the slips are the contract's."""

NO_PRICE = "Aucun prix par default n'a été trouvé pour les numéros suivant ({})"
"""The outer text when numbers fell out for what they are, and not for a list they are on (contract 2.6)."""


def success(members: Mapping[str, Value], *, xml: bool) -> Answer:
    """Answer HTTP 200 with `success`, `code` 200 and the members, in this order."""
    return render({"success": True, "code": 200, **members}, status=200, xml=xml)


Aside = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Does a piece of work beside the event loop."""


def success_with_list(
    members: Mapping[str, Value], name: str, pages: AsyncGenerator[list[Value], None], *, xml: bool, aside: Aside
) -> Answer:
    """Answer as `success` does, with a long list as the last member; no page of it is empty, and there is a first.

    Pages are written `aside`.
    """
    whole = success({**members, name: [_PLACE]}, xml=xml)
    first, _, last = whole.body.partition(to_xml_element(_PLACE) if xml else json.dumps(_PLACE).encode())
    return StreamedAnswer(200, whole.content_type, first, whole.headers, _pieces(pages, last, xml=xml, aside=aside))


async def _pieces(
    pages: AsyncGenerator[list[Value], None], last: bytes, *, xml: bool, aside: Aside
) -> AsyncGenerator[bytes, None]:
    between, write = b"", _xml_page if xml else _json_page
    async with aclosing(pages):
        async for page in pages:
            yield between + await aside(partial(write, page))
            between = b"\n" if xml else b","
    yield last


def _xml_page(page: list[Value]) -> bytes:
    return b"\n".join([to_xml_element(one) for one in page])


def _json_page(page: list[Value]) -> bytes:
    return b",".join([_json(one) for one in page])


_PLACE = "here the list"


def _json(data: Value) -> bytes:
    # Escaped like the real server's, so that a client may take the body for ASCII.
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def render(data: Mapping[str, Value], *, status: int, xml: bool, headers: Headers = ()) -> Answer:
    """Write an answer in the format asked for."""
    if xml:
        return Answer(status, XML_TYPE, to_xml(data), headers)
    return Answer(status, JSON_TYPE, _json(data), headers)


UNAUTHORIZED = (e.ApiKeyMissing, e.ApiKeyUnknown)
"""What version 2 answers with HTTP 401."""


def status_of(kind: type[Exception], *, error_status: int, bearer: bool) -> int:
    """Return the HTTP status of a refusal; `bearer`: of version 2, where a status means what HTTP says (design 6)."""
    meaning = next((MEANINGS[one] for one in kind.__mro__ if one in MEANINGS), FAILURE)
    if bearer:
        return 401 if issubclass(kind, UNAUTHORIZED) else meaning.status or 400
    return meaning.status or error_status


def refusal(error: Exception, *, xml: bool, error_status: int, bearer: bool = False, headers: Headers = ()) -> Answer:
    """Tell why a request was refused, or that it failed."""
    meaning = next((MEANINGS[kind] for kind in type(error).__mro__ if kind in MEANINGS), FAILURE)
    status = status_of(type(error), error_status=error_status, bearer=bearer)
    envelope: dict[str, Value] = {"success": False, "code": meaning.code}
    if isinstance(error, e.InvalidFields):
        fields = [{"elementId": Text(one.element), "message": Text(one.message)} for one in error.errors]
        # XML has no names to tell two equal lists apart, so it has the list once (contract 2.6).
        envelope |= {"error": fields} if xml else {"error": fields, "errors": fields}
    elif isinstance(error, e.NothingToSend):
        envelope |= {"message": Text(_why_nothing(error)), "errors": number_errors(error.problems)}
    elif isinstance(error, e.NumberInUse):
        moment = datetime.fromtimestamp(error.until // 1000, UTC)
        envelope["message"] = Text(meaning.text.format(moment.strftime("%Y-%m-%d %H:%M")))
    else:
        envelope["message"] = Text(meaning.text)
    return render(envelope, status=status, xml=xml, headers=headers)


def _why_nothing(error: e.NothingToSend) -> str:
    unfit = [one.msisdn for one in error.problems if one.code in {9, 13}]
    return NO_PRICE.format(", ".join(unfit)) if unfit else MEANINGS[e.NothingToSend].text


def number_errors(problems: Sequence[e.NumberProblem]) -> list[Value]:
    """Return the `errors` list of numbers that were left out of a send; `code` is a string here (contract 2.6)."""
    return [number_error(one) for one in problems]


def number_error(problem: e.NumberProblem) -> dict[str, Value]:
    """Return one entry of that list; where the text does not say which number it was, a last key does."""
    text = NUMBER_TEXTS[problem.code]
    entry: dict[str, Value] = {
        "success": False,
        "code": str(problem.code),
        "message": Text(text.format(problem.msisdn)),
    }
    return entry if "{}" in text else {**entry, "phoneNumber": problem.msisdn}
