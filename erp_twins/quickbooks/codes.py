"""Every code of the service's error table (reference section 9.4), for the dial: what no request to a twin provokes too.

Where the twin itself refuses so, the message is the same; the others say what the code means.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from erp_twins.http import Response
from erp_twins.quickbooks import faults

MESSAGES: Mapping[str, str] = {
    "100": "General authentication error",
    "110": "OAuth error",
    "120": "Authorization Failure",
    "130": "Wrong cluster",
    "140": "Company locked",
    "150": "Company under maintenance",
    "500": "Unsupported Operation",
    "600": "Duplicate request id",
    "610": "Object Not Found",
    "620": "Transaction can not be linked",
    "630": "Duplicate object",
    "700": "Invalid parent",
    "800": "Dependencies exist",
    "900": "Parent is the object itself",
    "1000": "Operation failed",
    "1010": "Create failed",
    "1020": "Update failed",
    "1040": "Batch too large",
    "1050": "Unsupported content type",
    "2000": "Unknown object name",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String. The String contains unsupported characters",
    "2050": "String length is either shorter or longer than supported by specification",
    "2060": "Invalid Date Format",
    "2070": "Invalid date",
    "2080": "Invalid number format",
    "2090": "Invalid Number",
    "2100": "Invalid decimal format",
    "2110": "Invalid decimal",
    "2120": "Incompatible type",
    "2130": "Invalid request id format",
    "2140": "Invalid Amount",
    "2150": "Invalid Percent",
    "2160": "Invalid quantity",
    "2170": "Invalid Enumeration",
    "2180": "String out of range",
    "2190": "Date out of range",
    "2200": "Invalid URL format",
    "2210": "Invalid Email Address format",
    "2220": "Invalid currency",
    "2230": "Invalid boolean",
    "2240": "Number out of range",
    "2250": "No lines",
    "2260": "Posting details missing",
    "2270": "Invalid posting detail",
    "2280": "Invalid posting type",
    "2290": "Negative amount",
    "2300": "Debits and credits differ",
    "2500": "Invalid Reference Id",
    "2600": "Conflicting elements",
    "3000": "Invalid custom field",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "4002": "Error processing query",
    "5000": "Deprecated field",
    "5010": "Stale Object Error",
    "5020": "Permission denied",
    "5030": "Feature Not Supported Error",
    "6000": "A business validation error has occurred while processing your request",
    "6010": "Account type or subtype needed",
    "6030": "Attachment refused",
    "6040": "Attachment refused",
    "6041": "Attachment refused",
    "6050": "Attachment refused",
    "6070": "Amount calculation incorrect in the request",
    "6080": "Name part missing",
    "6090": "Discount line empty",
    "6100": "Invalid Tax Code",
    "6130": "Billing parent can not be changed",
    "6140": "Duplicate Document Number Error",
    "6150": "Parent condition not met",
    "6160": "Custom sales tax misused",
    "6170": "Tax detail without tax",
    "6180": "Too many levels",
    "6190": "Invalid Company Status",
    "6200": "Account Period Closed",
    "6210": "Account Period Closed",
    "6220": "Entity has a balance",
    "6230": "Custom sales tax can not be updated",
    "6240": "Duplicate Name Exists Error",
    "6250": "Sales customer missing",
    "6270": "Transaction date is prior to start date for inventory item",
    "6280": "Customer has unbilled expenses",
    **dict.fromkeys([str(code) for code in range(6290, 6401, 10)], "Time activity rule broken"),
    "6420": "E-mail needed for delivery type",
    "6430": "Wrong account type",
    "6440": "Invalid split line detail",
    "6450": "Settled transaction can not be voided",
    "6460": "Deposit differs from the card amount",
    "6470": "Tax not allowed or missing",
    "6480": "Matched transaction can not be changed",
    "6520": "Inventory quantity missing",
    "6540": "Deposited Transaction cannot be changed",
    "10000": "An application error has occurred while processing your request",
    "10100": "Result too big",
    "10200": "Company was reset",
}
_KINDS = {"100": "AuthenticationFault", "110": "AuthenticationFault", "120": "AuthorizationFault", "10000": "SystemFault"}  # fmt: skip
_STATUSES = {"100": 401, "110": 401, "10000": 500}


def answer(code: str, detail: str, element: str, throttle_body: str, now: datetime) -> Response:
    """The service's refusal with this code: of the gateway for its own ones, else a `Fault`. One it lacks is answered too."""
    if code == "3001":
        return faults.throttled(throttle_body, now)
    if code == "3100":
        return faults.forbidden(now)
    if code in {"3200", "3202"}:
        return faults.gateway(401, int(code), "AuthenticationFailed", detail or None, "AUTHENTICATION", now)
    message = MESSAGES.get(code, "Something new")
    error = faults.Error(code, message, detail or message, element)
    kind, status = _KINDS.get(code, "ValidationFault"), _STATUSES.get(code, 400)
    return faults.answer(faults.QboFault(error, kind=kind, status=status), now)
