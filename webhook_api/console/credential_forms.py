"""The credentials that an admin enters for a provider without a sign-in page: the fields of its HTTP body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """`secret` ones are never shown again, `long` ones have several lines."""

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    long: bool = False


@dataclass(frozen=True)
class Method:
    """One way to let us in; `name` is the body's `authMethod`."""

    name: str
    title: str
    fields: tuple[Field, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def is_secret(self, name: str) -> bool:
        return any(field.secret for field in self.fields if field.name == name)


ACCOUNT = Field("accountId", "Account ID", "Setup > Company > Company Information, e.g. 1234567 or 1234567_SB1")
FORMS: dict[str, tuple[Method, ...]] = {
    "netsuite": (
        Method(
            "oauth2_m2m",
            "OAuth 2.0 with a certificate",
            (
                ACCOUNT,
                Field("clientId", "Client ID", "of the integration record"),
                Field("certificateId", "Certificate ID", "as NetSuite shows it after the upload"),
                Field("privateKeyPem", "Private key (PEM)", "that belongs to the certificate", secret=True, long=True),
            ),
        ),
        Method(
            "tba",
            "Token-based authentication",
            (
                ACCOUNT,
                Field("consumerKey", "Consumer key", "of the integration record"),
                Field("consumerSecret", "Consumer secret", secret=True),
                Field("tokenId", "Token ID", "of the access token"),
                Field("tokenSecret", "Token secret", secret=True),
            ),
        ),
    ),
}
