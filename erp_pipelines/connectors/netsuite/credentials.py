"""The two kinds of credentials that an admin enters, kept as one JSON text; keys and certificates are read, never told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from erp_pipelines.connectors.netsuite.accounts import Account
from erp_pipelines.domain.errors import RecordInvalid
from erp_pipelines.domain.records import invalid

Secret = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey
LEAST_RSA_BITS = 3072
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_NEW_KEY = (
    "Make a key of 3072 or 4096 bits (RSA) or on the curve P-256, P-384 or P-521, and upload its certificate in NetSuite "
    "under Setup, Integration, OAuth 2.0 Client Credentials (M2M) Setup."
)


class _Entered(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    account_id: str

    @property
    def account(self) -> Account:
        return Account.parse(self.account_id)

    def text(self) -> str:
        """Everything, to be stored encrypted."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class MachineCredentials(_Entered):
    """OAuth 2.0 client credentials: an integration, a certificate that is mapped to a role and a user, and its private key."""

    auth_method: Literal["oauth2_m2m"] = "oauth2_m2m"
    client_id: Secret
    certificate_id: Secret
    private_key_pem: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] = Field(repr=False)
    certificate_expires_at: AwareDatetime | None = None

    @property
    def key(self) -> SigningKey:
        """Raises RecordInvalid, with the mend, for a key that NetSuite does not take."""
        return _signing_key(self.private_key_pem)

    @property
    def algorithm(self) -> str:
        """Of the client assertion: PS256 for RSA, ES256, ES384 or ES512 by the curve. NetSuite takes no RS256."""
        key = self.key
        return "PS256" if isinstance(key, RSAPrivateKey) else CURVES[key.curve.name]

    @property
    def ends_at(self) -> dt.datetime | None:
        """When the certificate ends: what was entered, or what the certificate beside the key says; the earlier one."""
        found = _certificate(self.private_key_pem)
        ends = (self.certificate_expires_at, found.not_valid_after_utc if found else None)
        return min((one for one in ends if one), default=None)


class TokenCredentials(_Entered):
    """Token-based authentication: OAuth 1.0a with an integration's keys and a user's token."""

    auth_method: Literal["tba"]
    consumer_key: Secret
    consumer_secret: Secret = Field(repr=False)
    token_id: Secret
    token_secret: Secret = Field(repr=False)


Credentials = MachineCredentials | TokenCredentials
_EITHER: TypeAdapter[Credentials] = TypeAdapter(Annotated[Credentials, Field(discriminator="auth_method")])


def entered(form: Mapping[str, str], now: dt.datetime) -> Credentials:
    """What an admin has entered, checked as far as that goes without NetSuite. Raises RecordInvalid naming the field."""
    credentials = _read({"authMethod": "oauth2_m2m", **{name: value for name, value in form.items() if value != ""}})
    account = credentials.account
    if isinstance(credentials, MachineCredentials):
        _check_machine(credentials, now)
    return credentials.model_copy(update={"account_id": account.id})


def stored(text: str) -> Credentials:
    """The credentials of a text that `Credentials.text` has made."""
    return _EITHER.validate_json(text)


def _read(form: Mapping[str, str]) -> Credentials:
    try:
        return _EITHER.validate_python(form)
    except ValidationError as error:
        found = invalid("Credentials", error)
    field = found.field.rpartition(".")[2]
    raise RecordInvalid(found.message, field=field, mend="Enter what NetSuite showed when the credentials were made.")


def _check_machine(credentials: MachineCredentials, now: dt.datetime) -> None:
    key, certificate = credentials.key, _certificate(credentials.private_key_pem)
    if certificate is not None and certificate.public_key() != key.public_key():
        raise _wrong_key(
            "The certificate beside the private key belongs to another key.", "Enter the pair as it was made."
        )
    ends_at = credentials.ends_at
    if ends_at is not None and ends_at <= now:
        raise _wrong_key(f"The certificate ended on {ends_at:%Y-%m-%d}.", _NEW_KEY)


def _signing_key(pem: str) -> SigningKey:
    start = pem.find(_CERTIFICATE)
    private = pem if start < 0 else pem[:start] + pem[pem.find("-----END CERTIFICATE-----", start) :].partition("\n")[2]
    try:
        key = load_pem_private_key(private.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: it has a passphrase
        raise _wrong_key("That is no private key in PEM form without a passphrase.", _NEW_KEY) from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise _wrong_key(f"The RSA key has {key.key_size} bits; NetSuite wants 3072 or 4096.", _NEW_KEY)
        return key
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return key
    raise _wrong_key("NetSuite takes no key of this kind.", _NEW_KEY)


def _certificate(pem: str) -> x509.Certificate | None:
    start = pem.find(_CERTIFICATE)
    if start < 0:
        return None
    try:
        return x509.load_pem_x509_certificate(pem[start:].encode())
    except ValueError:
        raise _wrong_key(
            "The certificate beside the private key cannot be read.", "Leave it out, or enter it whole."
        ) from None


def _wrong_key(message: str, mend: str) -> RecordInvalid:
    return RecordInvalid(message, field="privateKeyPem", mend=mend)
