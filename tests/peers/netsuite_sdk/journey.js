// What an independent NetSuite client makes of the twin's machine-to-machine login. Run in an environment of its own.
// Arguments: the twin's URL, account, client id, certificate id, file of the private key. Prints what it saw as JSON.
import { readFileSync } from "node:fs";

const [url, accountId, clientId, certificateId, keyFile] = process.argv.slice(2);

// The client builds its hosts itself: its requests are sent to the twin under the account's own host name.
const send = globalThis.fetch;
globalThis.fetch = (address, options) => {
  const asked = new URL(address);
  return send(new URL(asked.pathname + asked.search, url), options);
};

const { NetSuiteClient } = await import("@brokenrubik/netsuite-sdk");
const privateKey = readFileSync(keyFile, "utf-8");
const client = new NetSuiteClient({ accountId, clientId, certificateId, privateKey, maxRetries: 0 });
const stranger = new NetSuiteClient({ accountId, clientId, certificateId: "unknown", privateKey, maxRetries: 0 });

async function refusal(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return [error.constructor.name, error.status, error.errorCode ?? null];
  }
}

const subsidiary = { id: "1" };
const seen = {};
seen.created = (await client.createRecord("customer", { companyName: "Anchor & Sons", subsidiary })).id;
seen.upserted = (await client.upsertRecord("customer", "CID-2", { companyName: "Blue Door", subsidiary })).id;
const line = { addressBookAddress: { addr1: "1 Quay" } };
await client.updateRecord("customer", seen.created, { addressBook: { items: [line] } });
await client.updateRecord("customer", seen.created, { addressBook: { items: [line] } }, { replace: "addressBook" });
const read = await client.getRecord("customer", seen.created, { expandSubResources: true });
seen.addresses = read.addressBook.items.length;
seen.query = (await client.suiteql("SELECT id, companyname FROM customer ORDER BY id")).items.map((row) => row.companyname);
seen.missing = await refusal(() => client.createRecord("customer", { companyName: "C" }));
seen.nowhere = await refusal(() => client.getRecord("customer", "999"));
seen.stranger = await refusal(() => stranger.getRecord("customer", seen.created));

const idempotencyKey = "5b3d3a3e-0000-4000-8000-000000000001";
const items = [{ companyName: "D", subsidiary }, { companyName: "E" }];
const job = await client.batchCreate("customer", items, { idempotencyKey });
const done = await job.wait({ pollInterval: 10 });
seen.batch = done.results.map((item) => item.success);
seen.repeated = await refusal(() => client.batchCreate("customer", items, { idempotencyKey }));
process.stdout.write(JSON.stringify(seen));
