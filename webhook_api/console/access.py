"""What the pages ask for: a visitor with one of the roles they name, and forms that were sent from our own pages."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from webhook_api.auth import ADMINS, MANAGERS, Forbidden, Principal, Role, check_role
from webhook_api.console import sessions
from webhook_api.console.sessions import Session
from webhook_api.dependencies import House

MOST_FIELDS = 1000
OWN_SITE = ("same-origin", "none")


def get_session(request: Request, runtime: House) -> Session:
    """Raises SignInNeeded."""
    session = sessions.current(runtime, request)
    request.state.session = session
    return session


def visitor(*roles: Role) -> Callable[[Session], Session]:
    """A dependency that gives the session, or raises Forbidden as the API does."""

    def checked(session: Annotated[Session, Depends(get_session)]) -> Session:
        check_role(session.principal, roles)
        return session

    return checked


@dataclass(frozen=True)
class Posted:
    """A form that one of our pages has sent, and who sent it."""

    session: Session
    form: FormData

    @property
    def user(self) -> Principal:
        return self.session.principal

    def text(self, name: str) -> str:
        """One field, trimmed; empty when it is missing."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All values of one name, as checkboxes send them."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]


async def read_form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=MOST_FIELDS)


Form = Annotated[FormData, Depends(read_form)]


def posted(*roles: Role) -> Callable[[Request, Session, FormData], Posted]:
    """A dependency that gives the form. Raises Forbidden for the wrong role, and for a form of another site's."""

    def checked(request: Request, session: Annotated[Session, Depends(get_session)], form: Form) -> Posted:
        check_role(session.principal, roles)
        check_origin(request, form, session.csrf)
        return Posted(session, form)

    return checked


def check_origin(request: Request, form: FormData, expected: str) -> None:
    """Raises Forbidden unless the form carries the secret of its page, and the browser doesn't call it another site's."""
    given = form.get("csrf")
    own = request.headers.get("sec-fetch-site", "same-origin") in OWN_SITE
    if not own or not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden(
            "This form was not sent from a page of the console.", mend="Go back, load the page again, retry."
        )


Manager = Annotated[Session, Depends(visitor(*MANAGERS))]
Admin = Annotated[Session, Depends(visitor(*ADMINS))]
ManagerForm = Annotated[Posted, Depends(posted(*MANAGERS))]
AdminForm = Annotated[Posted, Depends(posted(*ADMINS))]
