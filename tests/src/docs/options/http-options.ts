// What the limits of HTTP bound: the table of docs/http.md.
import { httpOptions } from '../../../../packages/core/src/http/config.js';
import { agentOptions } from '../../../../packages/core/src/http/https-agent.js';
import { markdownTable, rowsOf } from './option-rows.js';

const { insecureHTTPParser: _refused, ...http } = httpOptions;

const httpRows = rowsOf(http, {
  headersTimeout: "the headers of a request, and a new connection's first request; then status 408; 0: off",
  requestTimeout: 'a whole request with its body; then 408; 0: off',
  keepAliveTimeout: 'a connection between two requests; 0: off',
  connectionsCheckingInterval: 'how late the first two may be noticed',
  maxHeaderSize: 'the headers, in bytes; then 431',
  maxRequestsPerSocket: 'the requests on one connection; 0: off',
});

const agentRows = rowsOf(agentOptions, {
  keepAlive: 'whether a connection is kept for later requests',
  keepAliveMsecs: 'how long without traffic until TCP probes a kept connection',
  maxSockets: ['`Infinity`', 'connections to one host and port; further requests wait'],
  maxTotalSockets: ['`Infinity`', 'connections of the agent'],
  maxFreeSockets: 'kept connections without a request, to one host and port',
  scheduling: 'which kept connection is used next: the last one used, or the first',
  timeout: [
    'off',
    'silence on a kept connection, which then closes, and in a request, which then emits `timeout`',
  ],
});

/** The generated part of docs/http.md. */
export const httpTables: Readonly<Record<string, string>> = {
  http: markdownTable(
    ['option', 'default', 'bounds'],
    httpRows.map(({ name, shown, why }) => [name, shown, why]),
  ),
  agent: markdownTable(
    ['option', 'default', 'bounds'],
    agentRows.map(({ name, shown, why }) => [name, shown, why]),
  ),
};
