"""Connecting a provider that has no sign-in page, and trying a connection for real."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Body

from erp_pipelines.access import connections, credentials
from erp_pipelines.delivery import probe
from erp_pipelines.domain.connections import ConnectionKey
from webhook_api.dependencies import Admin, House
from webhook_api.schemas import ConnectionOut, ValidatedOut

router = APIRouter(prefix="/api/integrations/{provider}", tags=["connections"])
AT_ONCE = dt.timedelta(0)
# What each provider wants is its connector's to say; a wrong or missing field is named in the answer.
M2M = {
    "accountId": "1234567_SB1",
    "authMethod": "oauth2_m2m",
    "clientId": "the integration record's client id",
    "certificateId": "the certificate id that NetSuite shows",
    "privateKeyPem": "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
}
TBA = {
    "accountId": "1234567",
    "authMethod": "tba",
    "consumerKey": "...",
    "consumerSecret": "...",
    "tokenId": "...",
    "tokenSecret": "...",
}
Form = Annotated[
    dict[str, str],
    Body(
        openapi_examples={
            "netsuite-m2m": {"summary": "NetSuite, OAuth 2.0 machine to machine", "value": M2M},
            "netsuite-tba": {"summary": "NetSuite, token-based authentication", "value": TBA},
        }
    ),
]


@router.post("/connect")
def connect(runtime: House, user: Admin, provider: str, form: Form) -> ConnectionOut:
    """Try these credentials for real, and connect with them; nothing is stored when anything is missing.

    Sent again, they replace the ones before: that is how a certificate or a token is renewed.
    """
    row = credentials.connect(runtime, ConnectionKey(user.tenant_id, provider), form, user.user_id)
    return ConnectionOut.of(connections.status(runtime, row.key))


@router.post("/validate")
def validate(runtime: House, user: Admin, provider: str) -> ValidatedOut:
    """Whether the stored connection lets us in now: its grant is renewed and its company asked."""
    key = ConnectionKey(user.tenant_id, provider)
    return ValidatedOut.of(probe.probe(runtime, key, idle=AT_ONCE, quiet=AT_ONCE))
