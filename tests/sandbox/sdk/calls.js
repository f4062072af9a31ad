// Call the official SDK, unchanged, against a sandbox. Reads {"url", "calls": [{"method", "path", "params"}]} from standard
// input and writes a JSON list: for each call the SDK's function and "ok", its error, or null where the SDK has no function.
// The SDK knows one host, over TLS; its connections are led to the sandbox at Node's own https module.
'use strict';

const fs = require('fs');
const http = require('http');
const https = require('https');

const { url, calls } = JSON.parse(fs.readFileSync(0, 'utf8'));
const sandbox = new URL(url);
const agent = new http.Agent({ keepAlive: true });
https.request = ({ method, path, headers, timeout }) =>
  http.request({ method, path, headers, timeout, agent, host: sandbox.hostname, port: sandbox.port });

const sdk = require('@open-dy/open_api_sdk');
const client = new sdk.default({ clientKey: 'unused', clientSecret: 'unused' });
client._maxAttempts = 1;

const functions = new Map();
for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(client))) {
  const source = client[name].toString();
  const path = source.match(/pathname = [`"]([^`"]+)[`"]/);
  const method = source.match(/\.method = "(\w+)"/);
  const type = sdk[name[0].toUpperCase() + name.slice(1) + 'Request'];
  if (path && method && type) functions.set(`${method[1]} ${path[1]}`, { name, type });
}

async function call({ method, path, params }) {
  const found = functions.get(`${method} ${path}`);
  if (found === undefined) return null;
  const request = new found.type({});
  for (const [member, sent] of Object.entries(found.type.names())) {
    if (sent in params) request[member] = params[sent];
  }
  try {
    await client[found.name](request);
    return { function: found.name, outcome: 'ok' };
  } catch (error) {
    return { function: found.name, outcome: String(error.message || error) };
  }
}

(async () => {
  const outcomes = [];
  for (const one of calls) outcomes.push(await call(one));
  process.stdout.write(JSON.stringify(outcomes));
  process.exit(0);
})();
