/** Runs a proxy until it ends, whichever of its sides uses TLS. */
import { setTimeout as wait } from 'node:timers/promises';
import type { RefreshingRevocationSource } from '@knsock/certs';
import type { CredentialFlags } from '../options.js';
import type { Output } from '../output.js';
import { followLists } from '../revocation-lists.js';
import { runUntilSignal, type Drainable } from '../serving/lifecycle.js';
import type { FollowedCredentials } from '../serving/served-credentials.js';
import { ServeLog } from '../serving/serve-log.js';
import { prometheusOf } from '../serving/server-metrics.js';
import { startStatus } from '../serving/status.js';
import { proxyMetrics } from './proxy-metrics.js';
import type { Target, TargetEvents, Targets } from './targets.js';
import { Tunnels } from './tunnels.js';

/** Log and counters of both sides. */
export class ProxyContext {
  readonly log: ServeLog;
  readonly tunnels: Tunnels;

  constructor(output: Output) {
    this.log = new ServeLog(output, 'proxy');
    this.tunnels = new Tunnels(this.log);
  }

  /** Logs targets that go down and come back. */
  readonly targetEvents: TargetEvents = {
    setAside: ({ text }: Target, error) => {
      this.log.failed(`target ${text} is set aside, it`, error);
    },
    returned: ({ text }: Target) => {
      this.log.event('target-up', { target: text }, `target ${text} answers again`);
    },
  };

  /** The lists of --crl where there is a URL. */
  followLists(flags: CredentialFlags): Promise<RefreshingRevocationSource | undefined> {
    return followLists(flags, (error) => {
      this.log.failed('fetching the revocation list', error);
    });
  }
}

/** A proxy that listens. */
export interface RunningProxy {
  readonly server: Drainable & { stats(): object };
  readonly targets: Targets<{ destroy(): unknown }>;
  readonly credentials: readonly Pick<FollowedCredentials, 'reload' | 'close'>[];
  readonly revocation: RefreshingRevocationSource | undefined;
  readonly drainTimeout: number;
  readonly statusAddress: string | undefined;
  /** Announces that it listens; `status` is the address of the status page. */
  readonly announce: (status: string | undefined) => void;
}

/** Resolves with the exit code when a signal has ended it. */
export async function runProxy(context: ProxyContext, proxy: RunningProxy): Promise<number> {
  const { server, targets, credentials, revocation, drainTimeout, statusAddress } = proxy;
  let ready = true;
  const source = {
    ready: () => ready,
    stats: () => ({ ...server.stats(), tunnels: context.tunnels.counts(), targets: targets.states() }),
    metrics: () => prometheusOf(server.stats()) + proxyMetrics(context.tunnels.counts(), targets.states()),
  };
  const status = statusAddress === undefined ? undefined : await startStatus(statusAddress, source);
  const code = await runUntilSignal({
    server: {
      connections: () => server.connections(),
      close: () => drained(context, server, drainTimeout),
    },
    log: context.log,
    announce: () => {
      proxy.announce(status?.where);
    },
    reload: async () => {
      for (const one of credentials) await one.reload();
      await revocation?.refresh();
    },
    draining: () => (ready = false),
  });
  status?.close();
  targets.close();
  for (const one of credentials) await one.close();
  revocation?.close();
  return code;
}

/** The last bytes may still be on their way to the side that isn't counted by the server. */
async function drained({ tunnels }: ProxyContext, server: Drainable, drainTimeout: number): Promise<void> {
  await server.close();
  await Promise.race([tunnels.settled(), wait(drainTimeout, undefined, { ref: false })]);
}
