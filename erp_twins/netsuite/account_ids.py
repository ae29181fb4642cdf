"""The two spellings of an account id: `1234567_SB1` in realms, `1234567-sb1` in host names."""

from __future__ import annotations

import re

_FORM = re.compile(r"^[A-Z0-9]+(_[A-Z0-9]+)?$")
_HOST = re.compile(r"^([a-z0-9]+(?:-[a-z0-9]+)?)\.(?:suitetalk\.api|restlets\.api|app)\.netsuite\.com$")


def canonical(account: str) -> str:
    """The realm's spelling of either form. Raises ValueError for what is no account id."""
    text = account.strip().replace("-", "_").upper()
    if not _FORM.match(text):
        raise ValueError(f"{account!r} is no account id: letters and digits, perhaps _SB1 or _RP")
    return text


def host_label(account: str) -> str:
    return account.replace("_", "-").lower()


def account_of_host(host: str) -> str:
    """The account that a NetSuite host name belongs to; empty for any other host."""
    found = _HOST.match(host.lower().partition(":")[0])
    return canonical(found[1]) if found else ""
