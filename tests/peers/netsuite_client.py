"""What an independent NetSuite client makes of the twin. Runs in an environment of its own, which holds that client.

Arguments: the twin's URL, consumer key and secret, token id and secret, account. Prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings

warnings.simplefilter("ignore")  # the client's own use of its libraries is not what is tested

from netsuite import Config, NetSuiteRestApi, TokenAuth  # noqa: E402
from netsuite.exceptions import NetsuiteAPIRequestError  # noqa: E402


class TwinApi(NetSuiteRestApi):
    """The client, sent to the twin instead of the account's own host."""

    def __init__(self, url, *credentials, account):
        super().__init__(Config(account=account, auth=TokenAuth(**dict(zip(_AUTH, credentials, strict=True)))))
        self._url = url

    def _make_url(self, subpath):
        return f"{self._url}/services/rest{subpath}"


_AUTH = ("consumer_key", "consumer_secret", "token_id", "token_secret")


async def pages(api, q, limit):
    rows, offset, more = [], 0, True
    while more:
        page = await api.suiteql(q, limit=limit, offset=offset)
        rows += page["items"]
        offset, more = offset + limit, page["hasMore"]
    return [row["companyname"] for row in rows]


async def refusal(call):
    try:
        await call
    except NetsuiteAPIRequestError as error:
        body = json.loads(error.response_text)
        return [error.status_code, body["o:errorDetails"][0]["o:errorCode"]]
    return None


async def journey(api, stranger):
    seen = {}
    for name in ("Anchor & Sons", "Blue Door", "Caf\u00e9"):
        body = {"companyName": name, "subsidiary": {"id": "1"}}
        seen["created"] = await api.post("/record/v1/customer", json=body)
    await api.put("/record/v1/customer/eid:CID-1", json={"companyName": "Dock", "subsidiary": {"id": "1"}})
    await api.patch("/record/v1/customer/eid:CID-1", json={"email": "dock@example.com"})
    seen["read"] = (await api.get("/record/v1/customer/eid:CID-1", params={"fields": "email"}))["email"]
    found = await api.get("/record/v1/customer", params={"q": 'companyName IS "Anchor & Sons"'})
    seen["found"] = [row["id"] for row in found["items"]]
    seen["pages"] = await pages(api, "SELECT companyname FROM customer ORDER BY id", 2)
    seen["schema"] = "companyName" in (await api.jsonschema("customer"))["properties"]
    seen["openapi"] = sorted((await api.openapi(["customer", "term"]))["components"]["schemas"])
    seen["duplicate"] = await refusal(
        api.post("/record/v1/customer", json={**body, "externalId": "CID-1", "companyName": "E"})
    )
    seen["unknown"] = await refusal(api.patch("/record/v1/customer/101", json={"shoeSize": 43}))
    seen["stranger"] = await refusal(stranger.get("/record/v1/customer/101"))
    seen["deleted"] = await api.delete("/record/v1/customer/101")
    return seen


def main(url, key, secret, token, token_secret, account):
    api = TwinApi(url, key, secret, token, token_secret, account=account)
    stranger = TwinApi(url, key, "wrong", token, token_secret, account=account)
    print(json.dumps(asyncio.run(journey(api, stranger))))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
