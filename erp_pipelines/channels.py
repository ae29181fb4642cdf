"""Channels by Apprise: e-mail, Slack, webhooks and whatever else it knows. The one importer of it."""

from __future__ import annotations

import logging
import re
import warnings
from dataclasses import dataclass

import apprise

from erp_pipelines.domain.alerts import Channel, Message
from erp_pipelines.domain.errors import SettingsInvalid

KNOWN = "Its forms stand in Apprise's list of services, e.g. mailto://, slack://, jsons://."
# Its messages quote addresses, and those hold secrets.
logging.getLogger("apprise").disabled = True


@dataclass(frozen=True)
class AppriseChannel:
    """One address. Only its scheme and place in the setting are ever shown."""

    name: str
    _service: apprise.NotifyBase

    def send(self, message: Message) -> bool:
        try:
            return bool(self._service.notify(title=message.title, body=message.body))
        except Exception:  # noqa: BLE001 - a plugin's own fault is a message not taken
            return False


def from_urls(urls: str) -> tuple[Channel, ...]:
    """The channels of a list of addresses, separated by spaces or commas. Raises SettingsInvalid, which quotes none."""
    return tuple(_channel(place, url) for place, url in enumerate(_split(urls), 1))


def _split(urls: str) -> list[str]:
    # A comma may stand within an address (several recipients): it separates only before the next scheme.
    return [url.strip(",") for url in re.split(r"\s+|,(?=[A-Za-z0-9+.-]+://)", urls.strip()) if url.strip(",")]


def _channel(place: int, url: str) -> Channel:
    scheme = url.split("://", 1)[0] if "://" in url else ""
    with warnings.catch_warnings():  # it loads all of its services, and one of them an old module
        warnings.simplefilter("ignore", DeprecationWarning)
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        shown = f"{scheme}://" if re.fullmatch(r"[A-Za-z0-9+.-]{1,20}", scheme) else "no scheme"
        raise SettingsInvalid(f"ERP_ALERT_URLS: address {place} ({shown}) is none that can be used.", mend=KNOWN)
    return AppriseChannel(f"{scheme} ({place})", service)
