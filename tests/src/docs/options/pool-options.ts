// Why the options of a pool have the defaults that they have: the table of docs/pool.md.
import { poolLimitOptions } from '../../../../packages/pool/src/pool/config.js';
import { ownConnectOptions } from '../../../../packages/core/src/client/config.js';
import { limitOptions } from '../../../../packages/core/src/policy/limits.js';
import { markdownTable, note, rowsOf, type OptionRow } from './option-rows.js';

const { backOff } = poolLimitOptions;
const { first, longest } = backOff('backOff', undefined);
const grouped = (ms: number): string => ms.toLocaleString('en').replaceAll(',', '_');

/** HikariCP's name for an option. */
const hikari: Readonly<Record<string, string>> = {
  endpoints: 'jdbcUrl',
  name: 'poolName',
  min: 'minimumIdle',
  max: 'maximumPoolSize',
  acquireTimeout: 'connectionTimeout',
  idleTimeout: 'idleTimeout',
  maxLifetime: 'maxLifetime',
  keepalive: 'keepaliveTime',
  validateAfter: 'aliveBypassWindowMs',
  validateTimeout: 'validationTimeout',
  leakThreshold: 'leakDetectionThreshold',
};

const rows: OptionRow[] = [
  note('`endpoints`', 'required', 'several `{ host, port, servername? }` that offer the same service'),
  ...rowsOf(poolLimitOptions, {
    name: 'identifies the pool in events',
    min: 'an unused pool costs nothing; raise it if the first request must not wait for a handshake. It counts all connections, not only idle ones',
    max: 'see *Pool size* below',
    acquireTimeout:
      "longer than a restart of the server, shorter than what a person waits; can't be disabled: every wait ends",
    maxWaiters:
      'a queue that long is an outage; failing callers at once is better than running out of memory. `Infinity`: off',
    idleTimeout: 'surplus connections close after ten idle minutes, down to `min`. `Infinity`: off',
    maxLifetime:
      "load moves to new servers, and names are resolved again; reduced by up to a tenth at random so that connections don't all end together. A connection never outlives either side's certificate, even if the machine was asleep. `Infinity`: off",
    keepalive:
      'shorter than the usual idle timeout of firewalls and NATs; a ping on the knsock framing, a check of the socket on others. `Infinity`: off',
    validateAfter: 'a connection used this recently is lent without a check; 0 checks every time',
    validateTimeout:
      "the first connection that doesn't answer makes the pool check all idle ones at the same time, so a caller waits this long at most once",
    createTimeout:
      'of `Pool<T>`: a `create` that never ends must not hold its slot forever; `ConnectionPool` derives it from `connectTimeout`',
    destroyTimeout: 'a slot is free when its connection has ended, but no later than this',
    leakThreshold: [
      'off',
      'recording where each lease was acquired costs five times an acquire; enable it to find a leak',
    ],
    onLeak: [
      'a process warning',
      'receives what the detector finds: a lease held too long, or dropped without release (which the pool then reclaims)',
    ],
    onError: [
      'a process warning',
      "receives [errors that reach no caller](errors.md#errors-that-reach-no-caller): of `destroy` and the other functions of a pool, of maintaining `min`, and of its connections' handlers",
    ],
    reuse: "surplus connections stay idle and can be closed; `'fifo'` keeps all of them warm",
    backOff: [
      `\`{ first: ${grouped(first)}, longest: ${grouped(longest)} }\``,
      'delay between failed attempts, doubling, with random jitter of up to half; short enough to notice a restarted server, long enough not to overload it',
    ],
    clock: ['the real one', 'for tests'],
    random: ['the real one', 'for tests'],
  }),
  ...rowsOf(
    { requestTimeout: limitOptions.requestTimeout, connectTimeout: ownConnectOptions.connectTimeout },
    { requestTimeout: 'of `request`, including waiting and retries', connectTimeout: 'per endpoint tried' },
  ),
];

function hikariName(name: string): string {
  const known = hikari[name.replaceAll('`', '')];
  return known === undefined ? '–' : `\`${known}\``;
}

/** The generated part of docs/pool.md. */
export const poolTables: Readonly<Record<string, string>> = {
  options: markdownTable(
    ['option', 'HikariCP', 'default', 'why'],
    rows.map(({ name, shown, why }) => [name, hikariName(name), shown, why]),
  ),
};
