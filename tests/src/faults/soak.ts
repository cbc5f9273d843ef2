/**
 * Runs a server and clients as processes for so many minutes, and checks that nothing is lost, doubled or kept:
 * `npm run soak -- --minutes 60`. Ends with `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { createCertificateFolder } from '../support/certificate-folder.js';
import { hearFrom, startProgram } from './program.js';
import type { SoakClientReport } from './soak-client.program.js';
import type { SoakServerReport } from './soak-server.program.js';

const CLIENT_PROCESSES = 2;
const CLIENTS_EACH = 8;
const LOOKS = 20;
/** What heaps may grow by after a fifth of the time, when caches are full. */
const SLACK_BYTES = 8_000_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not ${values.minutes}`);

await using folder = await createCertificateFolder();
const server = startProgram('soak-server', [folder.path]);
const { port } = await hearFrom<{ port: number }>(server);
const resting = await look();
const clients = Array.from({ length: CLIENT_PROCESSES }, () =>
  startProgram('soak-client', [folder.path, String(port), String(CLIENTS_EACH)]),
);
await Promise.all(clients.map((client) => hearFrom(client)));
const looks: SoakServerReport[] = [];
for (let n = 1; n <= LOOKS; n++) {
  await new Promise((resolve) => setTimeout(resolve, (minutes * 60_000) / LOOKS));
  looks.push(await look());
  tell(n);
}
const reports = await Promise.all(clients.map(stop));
const rested = await atRest();
server.kill('SIGKILL');

const sum = (figure: (report: SoakClientReport) => number): number =>
  reports.reduce((total, report) => total + figure(report), 0);
const settled = looks[LOOKS / 5 - 1] as SoakServerReport;
const checks: [string, boolean][] = [
  [
    `${sum(({ connections }) => connections)} connections were made`,
    sum(({ connections }) => connections) > 0,
  ],
  [`${sum(({ messages }) => messages)} messages were sent`, sum(({ messages }) => messages) > 0],
  [`${sum(({ lost }) => lost)} messages were lost`, sum(({ lost }) => Math.abs(lost)) === 0],
  [`${rested.misplaced} messages came twice or out of order`, rested.misplaced === 0],
  [`${sum(({ errors }) => errors.length)} visits failed`, sum(({ errors }) => errors.length) === 0],
  [`${rested.connections} connections are left`, rested.connections === 0],
  [
    `${rested.descriptors - resting.descriptors} descriptors are left`,
    rested.descriptors === resting.descriptors,
  ],
  [
    `the heap grew by ${inKiB(rested.heapBytes - settled.heapBytes)}`,
    rested.heapBytes - settled.heapBytes < SLACK_BYTES,
  ],
];
const connectionsSince = rested.accepted - settled.accepted;
const slope = Math.round((rested.residentBytes - settled.residentBytes) / connectionsSince);
console.log(`resident memory grew by ${slope} bytes a connection, in ${connectionsSince} connections`);
for (const [what, ok] of checks) console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}`);
for (const error of new Set(reports.flatMap(({ errors }) => errors))) console.log(`       ${error}`);
const failed = checks.filter(([, ok]) => !ok).length;
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function look(): Promise<SoakServerReport> {
  server.send('look');
  return hearFrom<SoakServerReport>(server);
}

function stop(client: ReturnType<typeof startProgram>): Promise<SoakClientReport> {
  client.send('over');
  return hearFrom<SoakClientReport>(client);
}

/** The server a while after the last client has left. */
async function atRest(): Promise<SoakServerReport> {
  for (let tries = 0; tries < 50; tries++) {
    const report = await look();
    if (report.connections === 0 && report.descriptors === resting.descriptors) return report;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return look();
}

function tell(n: number): void {
  const { accepted, connections, descriptors, heapBytes, residentBytes } = looks[n - 1] as SoakServerReport;
  const memory = `heap ${inKiB(heapBytes)}, resident ${inKiB(residentBytes)}`;
  console.log(
    `${((n * minutes) / LOOKS).toFixed(2)} min: ${accepted} accepted, ${connections} open, ${descriptors} descriptors, ${memory}`,
  );
}

function inKiB(bytes: number): string {
  return `${Math.round(bytes / 1_024)} KiB`;
}
