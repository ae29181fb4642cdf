// What two independent Node clients make of the QuickBooks twin: the consent and its tokens with Intuit's own, the books with
// node-quickbooks. Run in an environment of its own. Arguments: the twin's URL, client id, secret, redirect address, company.
// Prints what it saw as JSON.
import { promisify } from "node:util";

import OAuthClient from "intuit-oauth";
import QuickBooks from "node-quickbooks";

const [url, clientId, clientSecret, redirectUri, realm] = process.argv.slice(2);
const seen = {};

// --- consent and tokens ---

const oauth = new OAuthClient({ clientId, clientSecret, environment: "sandbox", redirectUri });
oauth.setAuthorizeURLs({
  authorizeEndpoint: `${url}/connect/oauth2`,
  tokenEndpoint: `${url}/oauth2/v1/tokens/bearer`,
  revokeEndpoint: `${url}/v2/oauth2/tokens/revoke`,
  userInfoEndpoint: `${url}/v1/openid_connect/userinfo`,
});
OAuthClient.environment.sandbox = `${url}/`;

const consent = oauth.authorizeUri({ scope: [OAuthClient.scopes.Accounting, OAuthClient.scopes.OpenId], state: "state-1" });
const approved = await fetch(`${consent}&twin_approve=${realm}`, { redirect: "manual" });
const back = approved.headers.get("location");
const token = (await oauth.createToken(back)).getToken();
seen.consent = [new URL(back).searchParams.get("state"), token.realmId, token.expires_in];
seen.spentCode = await refusal(() => oauth.createToken(back));
await oauth.refresh();
seen.valid = oauth.isAccessTokenValid();
seen.user = Object.keys((await oauth.getUserInfo()).json).includes("email");
const info = await oauth.makeApiCall({ url: `${url}/v3/company/${realm}/companyinfo/${realm}` });
seen.company = info.json.CompanyInfo.CompanyName;
const access = oauth.getToken().access_token;

// --- the books ---

QuickBooks.V3_ENDPOINT_BASE_URL = `${url}/v3/company/`;
const client = new QuickBooks(clientId, clientSecret, access, false, realm, true, false, 75, "2.0", token.refresh_token);
const books = new Proxy(client, { get: (target, name) => promisify(target[name]).bind(target) });
const stranger = new QuickBooks(clientId, clientSecret, "not-a-token", false, realm, true, false, 75, "2.0", "none");

const customer = await books.createCustomer({ DisplayName: "O'Brien & Sons" });
const accounts = await books.findAccounts({ AccountType: "Income" });
const IncomeAccountRef = { value: accounts.QueryResponse.Account[0].Id };
const item = await books.createItem({ Name: "Tea", Type: "Service", IncomeAccountRef });
const detail = { ItemRef: { value: item.Id }, Qty: 2, UnitPrice: 12.5 };
const Line = [{ DetailType: "SalesItemLineDetail", Amount: 25, SalesItemLineDetail: detail }];
const order = { CustomerRef: { value: customer.Id }, DocNumber: "1001", Line };
const invoice = await books.createInvoice({ ...order, requestId: "key-1" });
const again = await books.createInvoice({ ...order, requestId: "key-1" });
seen.invoice = [invoice.TotalAmt, invoice.Balance, invoice.SyncToken, again.Id === invoice.Id];
const found = await books.findCustomers({ DisplayName: "O'Brien & Sons" });
seen.found = found.QueryResponse.Customer.map((row) => row.Id);
seen.none = Object.keys((await books.findVendors({ DisplayName: "Nobody" })).QueryResponse);
seen.counted = (await books.findInvoices({ count: true })).QueryResponse.totalCount;

const LinkedTxn = [{ TxnId: invoice.Id, TxnType: "Invoice" }];
const half = { CustomerRef: { value: customer.Id }, TotalAmt: 10, Line: [{ Amount: 10, LinkedTxn }] };
const payment = await books.createPayment(half);
const partly = await books.getInvoice(invoice.Id);
seen.partly = [partly.Balance, partly.SyncToken, partly.LinkedTxn[0].TxnId === payment.Id];
seen.stale = await refusal(() => books.updateInvoice({ Id: invoice.Id, SyncToken: "0", PrivateNote: "x" }));
seen.noted = (await books.updateInvoice({ Id: invoice.Id, SyncToken: partly.SyncToken, PrivateNote: "x" })).PrivateNote;
seen.unpaid = (await books.voidPayment({ Id: payment.Id, SyncToken: payment.SyncToken })).TotalAmt;
seen.open = (await books.getInvoice(invoice.Id)).Balance;

seen.twice = await refusal(() => books.createCustomer({ DisplayName: "o'brien & sons" }));
seen.unequal = await refusal(() => books.createInvoice({ ...order, Line: [{ ...Line[0], Amount: 24 }] }));
seen.nowhere = await refusal(() => books.getInvoice("999"));
seen.stranger = await refusal(() => promisify(stranger.getInvoice).bind(stranger)(invoice.Id));

const batch = await books.batch([
  { bId: "1", operation: "create", Customer: { DisplayName: "Blue Door" } },
  { bId: "2", operation: "create", Customer: { DisplayName: "Blue Door" } },
]);
seen.batch = batch.BatchItemResponse.map((one) => one.Customer?.DisplayName ?? one.Fault.Error[0].code);
const changed = await books.changeDataCapture(["Invoice", "Payment", "Item"], new Date(Date.now() - 3600_000));
seen.changed = changed.CDCResponse[0].QueryResponse.flatMap((part) => Object.keys(part).filter((name) => Array.isArray(part[name])));
await books.deletePayment({ Id: payment.Id, SyncToken: String(Number(payment.SyncToken) + 1) });
seen.deleted = await refusal(() => books.getPayment(payment.Id));

// --- the end of the grant ---

await oauth.revoke();
seen.revoked = await refusal(() => books.getInvoice(invoice.Id));
seen.dead = await refusal(() => oauth.refreshUsingToken(token.refresh_token));
process.stdout.write(JSON.stringify(seen));

// Each client puts the refusal somewhere else.
async function refusal(call) {
  try {
    await call();
    return null;
  } catch (error) {
    const body = error.response?.data ?? error;
    return body.Fault?.Error[0].code ?? body.fault?.error[0].code ?? error.error ?? error.message;
  }
}
