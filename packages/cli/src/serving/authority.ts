/** Runs `knsock certs serve` with parsed arguments. */
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import type { Authority } from '@knsock/certs';
import {
  serveAuthority,
  webhookPolicy,
  type AuthorityServer,
  type AuthorityServerOptions,
  type EnrolledCertificate,
  type EnrolmentPolicy,
  type RefusedEnrolment,
} from '@knsock/certs/authority-server';
import { parseAddress } from '../address.js';
import { openWithKey, type StoreFlags } from '../commands/certs/store-options.js';
import { describeFailure } from '../failure.js';
import type { Output } from '../output.js';
import { UsageError } from '../usage-error.js';
import type { ListenerFlags } from './flags.js';
import { loadDefaultFunction } from './handler-file.js';
import { runUntilSignal } from './lifecycle.js';
import { listenerOptions } from './listen-options.js';
import { ServeLog } from './serve-log.js';
import { startStatus } from './status.js';

export interface AuthorityFlags extends StoreFlags, ListenerFlags {
  listen: string;
  name?: string[];
  crlListen?: string;
  crlUrl?: string[];
  crlLife?: number;
  renewLife?: number;
  maxLife?: number;
  expiredGrace?: number;
  permit?: string[];
  policy?: string;
  policyUrl?: string;
  status?: string;
}

export async function serveStore(flags: AuthorityFlags, output: Output): Promise<number> {
  const options = authorityOptions(flags);
  const policy = await policyOf(flags);
  const { store, authority, signer } = await openWithKey(flags, output);
  if (!isEncrypted(authority))
    output.warn(
      `the authority's key in ${flags.store} is not encrypted; anyone who can read it can issue certificates`,
    );
  const log = new ServeLog(output, 'certs serve');
  const unwatch = log.watchFailures();
  const server = await serveAuthority({
    ...options,
    ...listenerOptions(flags),
    store,
    signer,
    policy,
    onEnrolled: (enrolled) => {
      logEnrolled(log, enrolled);
    },
    onRefused: (refused) => {
      logRefusal(log, refused);
    },
    onError: (error) => {
      const { message, code, hint } = describeFailure(error, 'certs serve');
      log.event('failure', { error: message, code, hint }, `failed: ${message} [${code}] ${hint}`);
    },
  });
  return await runAuthority(server, flags, log, unwatch);
}

async function runAuthority(
  server: AuthorityServer,
  flags: AuthorityFlags,
  log: ServeLog,
  unwatch: () => void,
): Promise<number> {
  let ready = true;
  const stats = () => server.stats();
  const page =
    flags.status === undefined ? undefined : await startStatus(flags.status, { ready: () => ready, stats });
  const list = server.crlUrl === undefined ? '' : `, its revocation list at ${server.crlUrl}`;
  const code = await runUntilSignal({
    server,
    log,
    announce: () => {
      log.listening(server, `the authority of ${flags.store}${list}`, page?.where);
      log.showStatus(server);
    },
    reload: () => server.renewOwn(),
    draining: () => (ready = false),
  });
  page?.close();
  unwatch();
  return code;
}

function authorityOptions(flags: AuthorityFlags): Omit<AuthorityServerOptions, 'store'> {
  const listen = parseAddress(flags.listen);
  if ('path' in listen)
    throw new UsageError('an authority listens on a port', 'Machines reach it there: --listen :9443');
  const crl = flags.crlListen === undefined ? undefined : parseAddress(flags.crlListen);
  if (crl !== undefined && 'path' in crl)
    throw new UsageError('a revocation list is fetched from a port', 'Give one: --crl-listen :9480');
  return {
    ...listen,
    authority: flags.authority,
    names: flags.name ?? ownNames(listen.host),
    crlListen: crl,
    crlUrls: flags.crlUrl,
    crlDays: flags.crlLife,
    renewDays: flags.renewLife,
    maxDays: flags.maxLife,
    expiredGrace: flags.expiredGrace,
    permit: flags.permit,
  };
}

/** The given listen host comes first: it is how others reach this machine. */
function ownNames(host: string | undefined): string[] {
  const isEverywhere = host === undefined || host === '0.0.0.0' || host === '::';
  const local = ['localhost', '127.0.0.1', '::1'];
  return [...new Set([...(isEverywhere ? [hostname()] : [host]), ...local])].filter(
    (name) => name === host || isIP(name) !== 0 || /^[a-z0-9.-]+$/i.test(name),
  );
}

async function policyOf({ policy, policyUrl }: AuthorityFlags): Promise<EnrolmentPolicy | undefined> {
  if (policy !== undefined && policyUrl !== undefined)
    throw new UsageError('--policy and --policy-url exclude one another', 'One of them decides.');
  if (policyUrl !== undefined) return webhookPolicy({ url: policyUrl });
  if (policy === undefined) return undefined;
  const example = 'export default ({ names, from }) => ({ allow: from.startsWith("10.") });';
  return await loadDefaultFunction<EnrolmentPolicy>('policy', policy, example);
}

/** With a signer the key is elsewhere. */
const isEncrypted = ({ key }: Authority): boolean => key?.includes('ENCRYPTED') ?? true;

function logEnrolled(log: ServeLog, { operation, certificate, from, token }: EnrolledCertificate): void {
  const { serial, notAfter, dnsNames, ipAddresses, uris, emailAddresses } = certificate;
  const subject = certificate.subject.toString();
  const names = [...dnsNames, ...ipAddresses, ...uris, ...emailAddresses];
  const what = operation === 'enroll' ? `enrolled by token ${token ?? ''}` : 'renewed';
  const until = notAfter.toISOString();
  log.event(
    operation === 'enroll' ? 'enrolled' : 'renewed',
    { from, token, subject, names, serial, notAfter },
    `${from} ${what}: ${names.join(', ') || subject}, serial ${serial}, until ${until}`,
  );
}

function logRefusal(log: ServeLog, { path, reason, message, from, token }: RefusedEnrolment): void {
  const by = token === undefined ? '' : ` (token ${token})`;
  log.event(
    'refused',
    { from, path, reason, message, token },
    `${from} refused${by}: ${message} [${reason}]`,
  );
}
