/** The measured process, where it runs on Node. */
import { answer } from '../answering.js';
import { dialBare, type BareDialOptions } from '../bare-dialer.js';
import { connectBare, serveBare, type BareClientOptions, type BareServerOptions } from './bare.js';
import { footprint } from './footprint.js';
import { serveAnswers, type HttpServerOptions } from './http.js';
import {
  connectOurs,
  dialOurs,
  serveOurs,
  type OurClientOptions,
  type OurDialOptions,
  type OurServerOptions,
} from './ours.js';
import { serveTunnel, type TunnelOptions } from './tunnel.js';

answer({
  serveBare: async (request: BareServerOptions) => ({ port: await serveBare(request) }),
  connectBare: (request: BareClientOptions) => connectBare(request),
  dialBare: (request: BareDialOptions) => dialBare(request),
  serveTunnel: async (request: TunnelOptions) => ({ port: await serveTunnel(request) }),
  serveAnswers: async (request: HttpServerOptions) => ({ port: await serveAnswers(request) }),
  serveOurs: async (request: OurServerOptions) => ({ port: await serveOurs(request) }),
  connectOurs: (request: OurClientOptions) => connectOurs(request),
  dialOurs: (request: OurDialOptions) => dialOurs(request),
  footprint,
  /** What is left after a thorough collection. */
  collect: () => {
    for (let times = 0; times < 4; times += 1) globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return { heapUsed, external };
  },
});
