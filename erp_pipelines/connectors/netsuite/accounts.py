"""NetSuite account ids in all their forms. No host name is built from anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from erp_pipelines.domain.errors import RecordInvalid

_FORM = re.compile(r"[A-Za-z0-9]{3,20}(?:[_-][A-Za-z0-9]{1,10})?", re.ASCII)
_SANDBOX, _PREVIEW = re.compile(r"_SB\d+"), re.compile(r"_RP\d*")


@dataclass(frozen=True)
class Account:
    """An account by its id as NetSuite shows it (`1234567`, `1234567_SB1`, `TSTDRV1234567`), which is the realm of OAuth 1.0."""

    id: str

    @classmethod
    def parse(cls, text: str) -> Account:
        """From the id or its form in host names (`1234567-sb1`), in either case. Raises RecordInvalid for anything else."""
        plain = text.strip()
        if not _FORM.fullmatch(plain):
            raise RecordInvalid(
                "That is no NetSuite account id.",
                field="accountId",
                mend="It stands in NetSuite under Setup, Company, Company Information, as Account ID: such as 1234567, or 1234567_SB1 for a sandbox.",
            )
        return cls(plain.replace("-", "_").upper())

    @property
    def host(self) -> str:
        """The account in host names."""
        return self.id.replace("_", "-").lower()

    @property
    def environment(self) -> str:
        """`sandbox` for sandboxes and release previews, else `production`."""
        _, underscore, kind = self.id.partition("_")
        is_test = underscore and (_SANDBOX.fullmatch(f"_{kind}") or _PREVIEW.fullmatch(f"_{kind}"))
        return "sandbox" if is_test else "production"
