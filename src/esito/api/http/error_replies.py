"""The one table that maps errors to code, text and HTTP status, and their envelopes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from esito.api.http.error_answers import NumberErrorItem, with_bare_texts
from esito.api.http.response import Headers, Response, render
from esito.api.http.xml import Text, Value
from esito.domain import errors as e


class ErrorReply(NamedTuple):
    """How an error is reported."""

    code: int
    text: str
    status: int = 0
    """HTTP status; 0: the configured one of error envelopes (contract 0.1)."""


ERROR_REPLIES: dict[type[e.EsitoError], ErrorReply] = {
    e.ApiKeyMissing: ErrorReply(1, "La Clé API est requise"),
    e.PhoneNumberMissing: ErrorReply(2, "Le numéro de téléphone est requis"),
    e.StopNumberInvalid: ErrorReply(9, "Le numéro de téléphone est invalide"),
    e.StopIdMissing: ErrorReply(3, "L'ID du numéro est requis"),
    e.StopNotFound: ErrorReply(4, "L'ID du numéro introuvable"),
    e.MessageIdMissing: ErrorReply(3, "L'ID du message est requis"),
    e.MessageNotFound: ErrorReply(4, "Message introuvable"),
    e.NoSuchMessage: ErrorReply(4, "Message introuvable", 404),
    e.NoSuchCallback: ErrorReply(404, "Notification introuvable", 404),
    e.NumberListEmpty: ErrorReply(5, "La liste des numéros est vide"),
    e.BadFormat: ErrorReply(6, "Le format n'est pas correct"),
    e.InvalidFields: ErrorReply(9, ""),
    e.ApiKeyUnknown: ErrorReply(10, "Clé API incorrecte"),
    e.AlreadyCancelled: ErrorReply(5, "L'envoi du SMS a déjà été annulé"),
    e.TooLateToCancel: ErrorReply(6, "Vous ne pouvez pas annuler l'envoi d'un SMS moins de 5 minutes avant son envoi"),
    e.AlreadySent: ErrorReply(7, "Vous ne pouvez pas annuler un SMS déjà envoyé"),
    e.NotEnoughCredit: ErrorReply(11, "Manque de crédits"),
    e.DailyCeilingReached: ErrorReply(11, "Le plafond journalier du compte est atteint"),
    e.AccountDisabled: ErrorReply(20, "Compte désactivé"),
    e.AccountBlocked: ErrorReply(30, "Compte bloqué"),
    e.CommercialHour: ErrorReply(22, "Un SMS commercial ne peut être envoyé qu'entre 8h et 22h"),
    e.CommercialDay: ErrorReply(23, "Un SMS commercial ne peut être envoyé un dimanche ou un jour férié"),
    e.ApiRefused: ErrorReply(40, "L'accès à l'API est refusé"),
    e.LowCostTooLong: ErrorReply(42, "Un SMS low cost ne peut excéder 160 caractères"),
    e.TooManyRecipients: ErrorReply(50, "Le nombre de numéros autorisés est de 500 maxi"),
    e.LowCostNotEligible: ErrorReply(51, "La gamme lowcost n'est pas éligible"),
    e.TooManySegments: ErrorReply(52, "Le nombre de SMS concaténés ne peut excéder 10 SMS"),
    e.NothingToSend: ErrorReply(55, "Aucun numéro à envoyer"),
    e.MalformedJson: ErrorReply(90, "Le JSON est malformé: erreur de syntaxe"),
    # Sub-accounts (contract 4.4): the numbers are the contract's, the words mostly ours.
    e.SubaccountsNotAllowed: ErrorReply(2, "Vous n'avez pas le droit de créer un sous-compte"),
    e.BuyerMissing: ErrorReply(3, "Le paramètre isBuyer est requis"),
    e.SubaccountTypeMissing: ErrorReply(4, "Le type de sous-compte est requis"),
    e.SubaccountTypeUnknown: ErrorReply(5, "Le type de sous-compte est inconnu"),
    e.EmailMissing: ErrorReply(6, "L'email est requis"),
    e.EmailTaken: ErrorReply(7, "L'email est déjà utilisé"),
    e.CreditNotPositive: ErrorReply(8, "Le crédit doit être supérieur à 0"),
    e.BalanceTooLow: ErrorReply(9, "Votre solde est insuffisant"),
    e.CreditMissing: ErrorReply(3, "Le crédit est requis"),
    e.CreditInvalid: ErrorReply(4, "Le crédit doit être supérieur à 0"),
    e.TokenMissing: ErrorReply(5, "Le token du sous-compte est requis"),
    e.SubaccountNotFound: ErrorReply(6, "Le sous-compte est introuvable"),
    e.TransferBalanceTooLow: ErrorReply(7, "Votre solde est insuffisant"),
    e.SubaccountBalanceTooLow: ErrorReply(8, "Le solde du sous-compte est insuffisant"),
    e.RemovalTokenMissing: ErrorReply(1, "Le token est requis"),
    e.SubaccountGone: ErrorReply(404, "Le sous-compte est introuvable", 404),
    e.IntervalInvalid: ErrorReply(3, "L'intervalle n'est pas valide"),
    e.NumbersNotSeparated: ErrorReply(3, "Les numéros doivent-être séparés par une virgule"),
    e.TooManyRequests: ErrorReply(429, "Trop de requêtes, veuillez réessayer plus tard", 429),
    e.LookupUnavailable: ErrorReply(501, "Ce service n'est pas installé sur ce serveur", 501),
    e.IdempotencyKeyReused: ErrorReply(409, "Cette clé d'idempotence a déjà servi à une autre demande", 409),
    e.NumberInUse: ErrorReply(
        409, "Un envoi à ce numéro n'est pas terminé, il pourra être effacé après le {} UTC", 409
    ),
    e.NumberInvalid: ErrorReply(9, "Le numéro de téléphone est invalide"),
    e.SenderNotAllowed: ErrorReply(992, "Sender non autorisé"),
    e.AddressNotAllowed: ErrorReply(96, "L'IP n'est pas autorisée"),
    e.ForAdministrators: ErrorReply(403, "Réservé aux administrateurs", 403),
    e.UnmaskingNotAllowed: ErrorReply(403, "Ce compte ne peut pas voir les numéros en entier", 403),
    e.NoSuchLink: ErrorReply(404, "Ce lien n'existe pas", 404),
    e.LinkInUse: ErrorReply(409, "Des SMS attendent encore ce lien, ou une réponse de son opérateur", 409),
    e.LinkChanged: ErrorReply(409, "Ce lien vient d'être changé par quelqu'un d'autre", 409),
    e.NoSuchPath: ErrorReply(404, "Page introuvable", 404),
    e.WrongMethod: ErrorReply(405, "Méthode non autorisée", 405),
    e.BodyTooLarge: ErrorReply(413, "Le corps de la requête est trop volumineux", 413),
    e.EncodingUnknown: ErrorReply(415, "Le corps de la requête ne peut pas être compressé", 415),
    e.RepeatedHeader: ErrorReply(400, "Un en-tête de la requête est répété", 400),
    e.HeadersTooLarge: ErrorReply(431, "Les en-têtes de la requête sont trop volumineux", 431),
    e.StoreUnavailable: ErrorReply(500, "Le service est momentanément indisponible", 503),
}
"""Every refusal (contract 1, 2.6, 5). A text the contract gives in other words than French is ours."""

FAILURE = ErrorReply(500, "Une erreur est survenue, votre demande n'a pas pu être traitée", 500)

NUMBER_TEXTS = {
    9: "Le téléphone ({}) n'est pas être un numéro de mobile",
    13: "Aucun prix par défaut n'a été trouvé pour les numéros suivant ({})",
    14: "Le numéro est dans la liste des STOP SMS",
    15: "Le numéro est déjà présent dans la liste",
}
"""Why a number was left out of a send (contract 2.6 and 5); the slips are the contract's."""

NO_PRICE = "Aucun prix par default n'a été trouvé pour les numéros suivant ({})"
"""The outer text when numbers cannot be sent to at all, as opposed to being on a list (contract 2.6)."""

UNAUTHORIZED = (e.ApiKeyMissing, e.ApiKeyUnknown)
"""What version 2 answers with HTTP 401."""


def status_of(kind: type[Exception], *, error_status: int, bearer: bool) -> int:
    """Return the HTTP status of a refusal; `bearer`: of version 2, where a status means what HTTP says (design 6)."""
    reply = next((ERROR_REPLIES[one] for one in kind.__mro__ if one in ERROR_REPLIES), FAILURE)
    if bearer:
        return 401 if issubclass(kind, UNAUTHORIZED) else reply.status or 400
    return reply.status or error_status


def refusal(error: Exception, *, xml: bool, error_status: int, bearer: bool = False, headers: Headers = ()) -> Response:
    """Return the envelope of an error."""
    reply = next((ERROR_REPLIES[kind] for kind in type(error).__mro__ if kind in ERROR_REPLIES), FAILURE)
    status = status_of(type(error), error_status=error_status, bearer=bearer)
    envelope: dict[str, Value] = {"success": False, "code": reply.code}
    if isinstance(error, e.InvalidFields):
        fields = [{"elementId": Text(one.element), "message": Text(one.message)} for one in error.errors]
        # XML has no names to tell two equal lists apart, so it has the list once (contract 2.6).
        envelope |= {"error": fields} if xml else {"error": fields, "errors": fields}
    elif isinstance(error, e.NothingToSend):
        listed = msgspec.to_builtins({"errors": number_errors(error.problems)})
        envelope |= {"message": Text(_why_nothing(error)), **with_bare_texts(listed)}
    elif isinstance(error, e.NumberInUse):
        moment = datetime.fromtimestamp(error.until // 1000, UTC)
        envelope["message"] = Text(reply.text.format(moment.strftime("%Y-%m-%d %H:%M")))
    else:
        envelope["message"] = Text(reply.text)
    return render(envelope, status=status, xml=xml, headers=headers)


def _why_nothing(error: e.NothingToSend) -> str:
    unfit = [one.msisdn for one in error.problems if one.code in {9, 13}]
    return NO_PRICE.format(", ".join(unfit)) if unfit else ERROR_REPLIES[e.NothingToSend].text


def number_errors(problems: Sequence[e.NumberProblem]) -> list[NumberErrorItem]:
    """Return the `errors` list of numbers that were left out of a send; `code` is a string here (contract 2.6)."""
    return [number_error(one) for one in problems]


def number_error(problem: e.NumberProblem) -> NumberErrorItem:
    """Return one entry of that list; the number is a member where the text does not name it."""
    text = NUMBER_TEXTS[problem.code]
    return NumberErrorItem(
        success=False,
        code=str(problem.code),
        message=text.format(problem.msisdn),
        phone_number=UNSET if "{}" in text else problem.msisdn,
    )
