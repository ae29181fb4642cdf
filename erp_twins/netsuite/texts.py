"""Detail texts by language. The codes never change with the language; these do, so no client may rely on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WRAPPED = "Error while accessing a resource. "

_ENGLISH = {
    "content": "Invalid content in the request body.",
    "value": "Invalid value for the resource or sub-resource field '{field}'. Provide a valid value.",
    "reference": "Invalid reference value '{value}' for the resource or sub-resource field '{field}'. Provide a valid value.",
    "unknown_field": "Unknown reference or field '{field}' in the request body.",
    "parameter": "Invalid query parameter '{name}'. Provide a valid value.",
    "limit": "The limit query parameter must be between 1 and {most}.",
    "offset": "The offset query parameter must be a multiple of the limit, and at most {pages} pages can be read.",
    "cap": "A query can return at most {cap} results.",
    "expand_fields": "The fields and expandSubResources query parameters cannot be combined.",
    "no_filter": "Record collection filtering does not support the field '{field}'.",
    "filter": "Invalid query near '{near}'.",
    "date_format": "Parsing of '{value}' failed with date format '{format}'.",
    "header": "Invalid value of the header '{name}'.",
    "query": "Invalid search query. Detailed unprocessed description follows. {detail}",
    "told": "{detail}",
    "unexpected": "An unexpected error occurred. Error ID: {ident}",
    "missing": _WRAPPED + "Please enter value(s) for: {labels}.",
    "exists": _WRAPPED + "This entity already exists.",
    "name_exists": _WRAPPED + "A record with the name '{name}' already exists. Enter a unique name.",
    "feature": _WRAPPED + "You do not have permissions to set a value for element {field}: an associated feature is disabled.",
    "no_role": "Your current role does not have permission to perform this action.",
    "permission": "Permission Violation: You need the '{permission}' permission to access this page. Please contact your account administrator.",
    "locked": _WRAPPED + "This record is locked by a workflow and cannot be opened.",
    "period": _WRAPPED + "The posting period of this transaction is closed.",
    "inactive": _WRAPPED + "The record {value} chosen for {field} is inactive.",
    "subsidiary": _WRAPPED + "Invalid {field} reference key {value} for subsidiary {subsidiary}.",
    "no_lines": _WRAPPED + "You must enter at least one line item for this transaction.",
    "dependent": _WRAPPED + "This record cannot be deleted because it has dependent records.",
    "line": _WRAPPED + "The line {line} is not on this transaction.",
    "line_locked": _WRAPPED + "Line {line} cannot be removed because it was billed or fulfilled.",
    "overapplied": _WRAPPED + "The amount applied to {doc} is more than is due.",
    "applied_total": _WRAPPED + "The amount applied is more than the amount of this transaction.",
    "not_approved": _WRAPPED + "This order is pending approval and cannot be transformed.",
    "nothing_to_bill": _WRAPPED + "There is nothing left to bill on this order.",
    "too_many": _WRAPPED + "Line {line}: {quantity} is more than is left of the order.",
    "paid": _WRAPPED + "This transaction has been settled and cannot be changed in this way.",
    "tax_reference": _WRAPPED + "The tax details reference '{reference}' is on no line.",
    "voided": _WRAPPED + "This transaction was voided.",
    "login": "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles > User Management > View Login Audit Trail.",
    "no_record": "The record instance does not exist. Provide a valid record instance ID.",
    "no_type": "Record type '{type}' does not exist.",
    "no_path": "The requested URL does not exist.",
    "url": "Invalid URL. Provide a valid record type and ID.",
    "method": "The {method} method is not allowed for this resource.",
    "used_key": "The idempotency key was used before. The first request's job is named in the Location header.",
    "batch": "A batch has at least one and at most {most} records.",
    "busy": "Concurrent request limit exceeded. Request blocked.",
}  # fmt: skip

_GERMAN = {
    "missing": "Fehler beim Zugriff auf eine Ressource. Bitte geben Sie Werte ein f\u00fcr: {labels}.",
    "exists": "Fehler beim Zugriff auf eine Ressource. Diese Entit\u00e4t ist bereits vorhanden.",
    "no_record": "Die Datensatzinstanz ist nicht vorhanden. Geben Sie eine g\u00fcltige ID an.",
    "no_role": "Ihre aktuelle Rolle ist nicht berechtigt, diese Aktion auszuf\u00fchren.",
    "login": "Ung\u00fcltiger Anmeldeversuch.",
}
_ITALIAN = {
    "missing": "Errore durante l'accesso a una risorsa. Immettere i valori per: {labels}.",
    "exists": "Errore durante l'accesso a una risorsa. Questa entit\u00e0 esiste gi\u00e0.",
    "no_record": "L'istanza del record non esiste. Fornire un ID valido.",
    "no_role": "Il ruolo corrente non ha l'autorizzazione per eseguire questa azione.",
    "login": "Tentativo di accesso non valido.",
}
_LANGUAGES: dict[str, Mapping[str, str]] = {"en": _ENGLISH, "de": _GERMAN, "it": _ITALIAN}


def text(name: str, language: str, values: Mapping[str, Any]) -> str:
    """A text in the language, in English where it was not translated."""
    return (_LANGUAGES.get(language, {}).get(name) or _ENGLISH[name]).format(**values)
