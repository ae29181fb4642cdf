"""OAuth 2.0 and OpenID Connect over HTTP: discovery, consent, token, revoke, user info, keys (reference section 1)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from erp_twins.http import Request, Response, html_answer, json_answer, redirect
from erp_twins.jsonio import Doc
from erp_twins.quickbooks import faults, pages
from erp_twins.quickbooks.grants import REFRESH_SECONDS, SCOPES, App, Grant, InvalidGrant
from erp_twins.quickbooks.tokens import Signer

if TYPE_CHECKING:
    from erp_twins.quickbooks.twin import QuickBooksTwin

TOKEN_PATH = "/oauth2/v1/tokens/bearer"
REVOKE_PATH = "/v2/oauth2/tokens/revoke"
AUTHORIZE_PATH = "/connect/oauth2"


@dataclass
class OAuth:
    """The authorization server of a twin."""

    twin: QuickBooksTwin
    signer: Signer = field(default_factory=Signer)

    def answer(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of its own."""
        routes = {
            AUTHORIZE_PATH: self.authorize,
            TOKEN_PATH: self.token,
            REVOKE_PATH: self.revoke,
            "/v1/openid_connect/userinfo": self.user_info,
            "/op/v1/jwks": self.jwks,
            "/.well-known/openid_configuration": self.discovery,
            "/.well-known/openid_sandbox_configuration": self.discovery,
        }
        route = routes.get(request.path.rstrip("/"))
        return route(request) if route else None

    def discovery(self, request: Request) -> Response:
        base = request.base_url
        return json_answer(
            {
                "issuer": f"{base}/op/v1",
                "authorization_endpoint": base + AUTHORIZE_PATH,
                "token_endpoint": base + TOKEN_PATH,
                "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
                "revocation_endpoint": base + REVOKE_PATH,
                "jwks_uri": f"{base}/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "address", "phone"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            }
        )

    # --- the browser's part ---

    def authorize(self, request: Request) -> Response:
        """The consent page; `twin_approve=<realm>` and `twin_deny=1` decide at once, as does the `auto` switch."""
        app = self.twin.grants.apps.get(request.param("client_id"))
        target = request.param("redirect_uri")
        if app is None or target not in app.redirect_uris or request.param("response_type") != "code":
            return html_answer(
                pages.trouble(
                    "Sorry, but the app did not connect", "The app's client id or redirect URI is not known here."
                ),
                400,
            )
        back = {"state": request.param("state")}
        scopes = tuple(request.param("scope").split())
        if not scopes or not SCOPES.issuperset(scopes):
            return _back(target, {"error": "invalid_scope", **back})
        if request.param("twin_deny"):
            return _back(target, {"error": "access_denied", **back})
        return self._consent(request, app, scopes, back)

    def _consent(self, request: Request, app: App, scopes: tuple[str, ...], back: dict[str, str]) -> Response:
        realm = request.param("twin_approve")
        if not realm and self.twin.config.consent == "auto":
            realm = next(iter(self.twin.companies), "")
        if realm not in self.twin.companies:
            return html_answer(pages.consent(app.name, list(self.twin.companies.values()), request.query))
        code = self.twin.grants.code(app, request.param("redirect_uri"), realm, scopes)
        named = {"realmId": realm} if any(scope.startswith("com.intuit.") for scope in scopes) else {}
        return _back(request.param("redirect_uri"), {"code": code, **back, **named})

    # --- the app's part ---

    def _app(self, request: Request) -> App | None:
        """The app that the Basic header names, if its secret is right."""
        scheme, _, encoded = request.header("authorization").partition(" ")
        try:
            ident, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        app = self.twin.grants.apps.get(ident)
        return app if app and scheme.lower() == "basic" and app.client_secret == secret else None

    def token(self, request: Request) -> Response:
        app = self._app(request)
        if app is None:
            return json_answer({"error": "invalid_client"}, 401)
        if request.method != "POST" or not request.body:
            return json_answer({"error": "invalid_request"}, 400)
        try:
            return self._issue(request, app, request.form())
        except InvalidGrant as refused:
            return json_answer({"error": "invalid_grant", "error_description": str(refused)}, 400)

    def _issue(self, request: Request, app: App, form: dict[str, str]) -> Response:
        grants, config = self.twin.grants, self.twin.config
        if form.get("grant_type") == "authorization_code":
            grant = grants.redeem(app, form.get("code", ""), form.get("redirect_uri", ""), config)
            return self._tokens(request, grant, with_id=True)
        if form.get("grant_type") == "refresh_token":
            return self._tokens(request, grants.refresh(app, form.get("refresh_token", ""), config), with_id=False)
        return json_answer({"error": "unsupported_grant_type"}, 400)

    def _tokens(self, request: Request, grant: Grant, *, with_id: bool) -> Response:
        body: Doc = {
            "token_type": "bearer",
            "access_token": self.twin.grants.new_access(grant, self.twin.config),
            "expires_in": self.twin.config.access_token_seconds,
            "refresh_token": grant.refresh_token,
            "x_refresh_token_expires_in": REFRESH_SECONDS,
        }
        if request.header("x-include-refresh-token-hard-expires-in") == "true":
            body["x_refresh_token_hard_expires_in"] = self.twin.grants.hard_seconds(grant)
        if with_id and "openid" in grant.scopes:
            body["id_token"] = self.signer.id_token(f"{request.base_url}/op/v1", grant, self.twin.clock.now())
        return json_answer(body)

    def revoke(self, request: Request) -> Response:
        """JSON `{"token": ...}` or form; 200 without a body, 400 for a token that is not alive."""
        app = self._app(request)
        if app is None:
            return json_answer({"error": "invalid_client"}, 401)
        try:
            token = str(json.loads(request.body).get("token", ""))
        except (ValueError, AttributeError):
            token = request.form().get("token", "")
        known = self.twin.grants.revoke(app.client_id, token)
        return Response(200) if known else json_answer({"error": "invalid_request"}, 400)

    def user_info(self, request: Request) -> Response:
        grant = self.twin.grants.bearer(request.header("authorization").removeprefix("Bearer "))
        if isinstance(grant, str) or "openid" not in grant.scopes:
            return faults.unauthorised(
                grant if isinstance(grant, str) else "Scope openid is missing", self.twin.clock.now()
            )
        person: Doc = {"sub": "twin-user-1", "email": "owner@harbor-foods.example.com", "emailVerified": True}
        address = {
            "streetAddress": "12 Quay Street",
            "locality": "Port Ellery",
            "region": "CA",
            "postalCode": "90001",
            "country": "US",
        }
        names = {
            "givenName": "Robin",
            "familyName": "Marlow",
            "phoneNumber": "+1 555 0100",
            "phoneNumberVerified": False,
        }
        return json_answer({**person, **names, "address": address})

    def jwks(self, _request: Request) -> Response:
        return json_answer({"keys": [self.signer.public_key()]})


def _back(target: str, params: dict[str, str]) -> Response:
    """Send the browser back to the app."""
    given = {name: value for name, value in params.items() if value}
    return redirect(target + ("&" if "?" in target else "?") + urlencode(given))
