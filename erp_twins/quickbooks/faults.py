"""The three error shapes of the service: `Fault` of the business layer, lower-case `fault` of the gateway, XML throttle.

Texts in quotation marks are wire data that clients match on (reference sections 8.1, 9.1, 9.2, 9.3, 9.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from erp_twins.http import Response, json_answer
from erp_twins.jsonio import Doc


@dataclass(frozen=True)
class Error:
    code: str
    message: str
    detail: str
    element: str | None = ""

    def to_json(self) -> Doc:
        body = {"Message": self.message, "Detail": self.detail, "code": self.code}
        return body if self.element is None else {**body, "element": self.element}


class QboFault(Exception):
    """A refused request of the business layer."""

    def __init__(self, *errors: Error, kind: str = "ValidationFault", status: int = 400) -> None:
        super().__init__("; ".join(f"{one.code} {one.message}: {one.detail}" for one in errors))
        self.errors = errors
        self.kind = kind
        self.status = status

    def to_json(self) -> Doc:
        return {"Error": [one.to_json() for one in self.errors], "type": self.kind}


def fault(code: int, message: str, detail: str = "", element: str = "") -> QboFault:
    return QboFault(Error(str(code), message, detail or message, element))


def business(detail: str) -> QboFault:
    """6000: free text in the detail."""
    return fault(
        6000,
        "A business validation error has occurred while processing your request",
        f"Business Validation Error: {detail}",
    )


def missing(element: str) -> Error:
    detail = f"Required parameter {element} is missing in the request"
    return Error("2020", "Required param missing, need to supply the required value for the API", detail, element)


def bad_length(element: str, low: int, high: int, length: int) -> Error:
    message = "String length is either shorter or longer than supported by specification"
    return Error("2050", message, f"{message}. Min:{low} Max:{high} supported. Supplied length:{length}", element)


def unknown_property(name: str) -> Error:
    message = "Request has invalid or unsupported property"
    return Error("2010", message, f"Property Name:{name} specified is unsupported or invalid", name)


def bad_characters(element: str) -> Error:
    return Error(
        "2040",
        "Invalid String. The String contains unsupported characters",
        f"{element} contains a colon, tab or newline",
        element,
    )


def bad_value(code: int, message: str, element: str) -> Error:
    return Error(str(code), message, f"{message} : {element}", element)


def bad_reference(element: str, value: str) -> Error:
    return Error("2500", "Invalid Reference Id", f"Invalid Reference Id : {element} id {value} does not exist", element)


def inactive_reference(element: str, name: str) -> Error:
    detail = f"Object Not Found : Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, vendors or employees: {name}"
    return Error("610", "Object Not Found", detail, element)


def not_found(entity: str, ident: str) -> QboFault:
    return fault(610, "Object Not Found", f"Object Not Found : {entity} {ident} was not found", "")


def stale() -> QboFault:
    detail = (
        "Stale Object Error : You and another user were working on this at the same time. Your changes were not saved."
    )
    return fault(5010, "Stale Object Error", detail)


def duplicate_name(ident: str) -> QboFault:
    detail = "The name supplied already exists. : Another customer, vendor or employee is already using this name. Please use a different name."
    return fault(6240, "Duplicate Name Exists Error", f"{detail} Id={ident}")


def duplicate_item(ident: str) -> QboFault:
    detail = f"The name supplied already exists. : Another product or service is already using this name. Please use a different name. Id={ident}"
    return fault(6240, "Duplicate Name Exists Error", detail)


def duplicate_number(number: str, entity: str, ident: str) -> QboFault:
    detail = f"Duplicate Document Number Error : You must specify a different number. This number has already been used. DocNumber={number} is assigned to TxnType={entity} with TxnId={ident}"
    return fault(6140, "Duplicate Document Number Error", detail, "DocNumber")


def unsupported(operation: str, entity: str) -> QboFault:
    return fault(500, "Unsupported Operation", f"Operation {operation} is not supported for {entity}.")


def bad_request_id(detail: str) -> QboFault:
    return fault(2130, "Invalid request id format", detail, "requestid")


def stamp(moment: datetime) -> str:
    """The envelope's time: milliseconds and a numeric offset."""
    return moment.isoformat(timespec="milliseconds")


def answer(refused: QboFault, moment: datetime) -> Response:
    return json_answer({"Fault": refused.to_json(), "time": stamp(moment)}, refused.status)


def gateway(status: int, code: int, name: str, detail: str | None, kind: str, moment: datetime) -> Response:
    """The lower-case body of the authentication layer, with `time` in epoch milliseconds."""
    message = f"message={name}; errorCode={code:06d}; statusCode={status}"
    error = {"message": message, "detail": detail, "code": str(code), "element": None}
    empty: Doc = dict.fromkeys(
        ("warnings", "intuitObject", "report", "queryResponse", "syncErrorResponse", "requestId", "status")
    )
    lists: Doc = {name: [] for name in ("batchItemResponse", "attachableResponse", "cdcresponse")}
    body = {**empty, **lists, "fault": {"error": [error], "type": kind}, "time": int(moment.timestamp() * 1000)}
    return json_answer(body, status)


def unauthorised(detail: str, moment: datetime) -> Response:
    return gateway(401, 3200, "AuthenticationFailed", detail, "AUTHENTICATION", moment)


def forbidden(moment: datetime) -> Response:
    return gateway(403, 3100, "ApplicationAuthorizationFailed", None, "SERVICE", moment)


def throttled(form: str, moment: datetime) -> Response:
    """429, in XML whatever the caller asked for unless the switch says otherwise; there is no Retry-After."""
    detail = "The request limit was reached. Try again later"
    if form == "json":
        return gateway(429, 3001, "ThrottleExceeded", detail, "SERVICE", moment)
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    xml = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse time="{escape(stamp(moment))}" xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE">'
        f'<Error code="3001"><Message>{message}</Message><Detail>{detail}</Detail></Error></Fault></IntuitResponse>'
    )
    return Response(429, xml.encode(), (("content-type", "application/xml;charset=UTF-8"),))
