/** The process that makes work for the measured one. */
import { answer } from '../answering.js';
import { dialBare, type BareDialOptions } from '../bare-dialer.js';
import type { Certificates } from '../certificates.js';
import { blast, sink, type BulkOptions } from './bulk.js';
import { Crowd, type CrowdOptions } from './crowd.js';
import { echo, type EchoOptions } from './echo.js';
import { Flood } from './flood.js';
import { greet } from './greeter.js';
import { Browsers } from './http.js';
import { latency } from './latency.js';
import type { BulkRole } from '../subject/bulk.js';
import { Link, type LinkOptions } from './link.js';
import { manyCertificates, type ManyCertificatesOptions } from './many-certificates.js';
import { newClients, type NewClientsOptions } from './new-clients.js';
import { target } from './target.js';
import type { WireFraming } from '../wire.js';

type Keyed = { readonly key: string };

const links = new Map<string, Link | Promise<Link>>();
const crowd = new Crowd();
const browsers = new Map<string, Browsers>();
let flood: Flood | null = null;

answer({
  async connect(request: Keyed & LinkOptions & { port: number }) {
    links.set(request.key, await Link.connect(request));
  },
  async listen(request: Keyed & LinkOptions) {
    const { port, accepted } = await Link.listen(request);
    links.set(request.key, accepted);
    return { port };
  },
  async disconnect({ key }: Keyed) {
    (await linkOf(key)).socket.destroy();
    links.delete(key);
  },
  echo: async (request: Keyed & EchoOptions) => echo(await linkOf(request.key), request),
  blast: async (request: Keyed & BulkOptions) => blast(await linkOf(request.key), request),
  sink: async (request: Keyed & BulkOptions) => sink(await linkOf(request.key), request),
  latency: async (request: Keyed & { ms: number }) => latency(await linkOf(request.key), request),
  dialBare: (request: BareDialOptions) => dialBare(request),
  greet: async (request: { files: Certificates; clientCertificates: boolean }) => ({
    port: await greet(request.files, request.clientCertificates),
  }),
  target: async ({ role }: { role: BulkRole }) => ({ port: await target(role) }),
  gather: (request: CrowdOptions) => crowd.join(request),
  murmur: ({ framing }: { framing: WireFraming }) => {
    crowd.murmur(framing);
  },
  hush: () => {
    crowd.hush();
  },
  manyCertificates: (request: ManyCertificatesOptions) => manyCertificates(request),
  newClients: (request: NewClientsOptions) => newClients(request),
  disperse: () => {
    crowd.leave();
  },
  async browse(request: Keyed & { files: Certificates; port: number }) {
    browsers.set(request.key, await Browsers.connect(request));
  },
  async get({ key, ms }: Keyed & { ms: number }) {
    const clients = browsers.get(key);
    if (clients === undefined) throw new Error(`no browsers '${key}'`);
    return clients.run(ms);
  },
  leave({ key }: Keyed) {
    browsers.get(key)?.leave();
    browsers.delete(key);
  },
  async flood({ key, size }: Keyed & { size: number }) {
    flood = new Flood(await linkOf(key), size);
  },
  stopFlood({ key }: Keyed) {
    flood?.stop();
    links.delete(key);
  },
});

async function linkOf(key: string): Promise<Link> {
  const link = await links.get(key);
  if (link === undefined) throw new Error(`no connection '${key}'`);
  return link;
}
