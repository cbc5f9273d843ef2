/** Enumerates what an endpoint accepts: each choice is left out of the next offer until it accepts none. */
import { ask, hello } from './ask.js';
import {
  FALLBACK_SCSV,
  RENEGOTIATION_SCSV,
  extension,
  sslv2Hello,
  type HelloOptions,
} from './client-hello.js';
import { groups, nameOf, signatureAlgorithms } from './code-points.js';
import type { Endpoint } from './endpoint.js';
import type { ServerHello } from './server-flight.js';
import { isTls13Suite, suites, type Suite, suiteOf } from './suites.js';
import { tlsVersions, versionNumbers, type TlsVersion } from './tls-version.js';

type Modern = Exclude<TlsVersion, 'SSLv2'>;

/** What it accepts in one version. */
export interface VersionSurvey {
  readonly version: TlsVersion;
  /** In the server's order, if it enforces one. */
  readonly suites: readonly Suite[];
  /** Names, as in `code-points.ts`; empty if the key exchange has no groups. */
  readonly groups: readonly string[];
  /** Signature algorithms of the key exchange; only in TLS 1.2 and 1.3. */
  readonly signatureAlgorithms: readonly string[];
}

export interface Survey {
  readonly versions: readonly VersionSurvey[];
  /** Whether it enforces its own order of suites, up to TLS 1.2; undefined if it accepts fewer than two. */
  readonly serverPreference: boolean | undefined;
  readonly compression: boolean;
  /** RFC 5746, RFC 7627: undefined if it speaks only TLS 1.3, which needs neither. */
  readonly secureRenegotiation: boolean | undefined;
  readonly extendedMasterSecret: boolean | undefined;
  /** Whether it refuses a client that signals a fallback (RFC 7507); undefined if there is no older version. */
  readonly fallbackProtected: boolean | undefined;
  /** The shortest prime of a finite-field key exchange; null if there is none. */
  readonly dhBits: number | null;
  /** Whether it asks for a client certificate, if a version before TLS 1.3 shows that. */
  readonly asksForCertificate: boolean | undefined;
}

const OLD_SUITES = suites.filter((suite) => !isTls13Suite(suite)).map(({ number }) => number);
const NEW_SUITES = suites.filter(isTls13Suite).map(({ number }) => number);
/** Suites with a signed key exchange, which reveals the group. */
const SIGNED = suites
  .filter(({ name }) => /^TLS_(EC)?DHE_(RSA|ECDSA|DSS)_/.test(name))
  .map(({ number }) => number);

const ELLIPTIC = suites.filter(({ name }) => name.startsWith('TLS_ECDHE_')).map(({ number }) => number);

export async function survey(endpoint: Endpoint): Promise<Survey> {
  const hellos: ServerHello[] = [];
  const asked = tlsVersions.map((version) =>
    version === 'SSLv2' ? surveySslv2(endpoint) : surveyVersion(endpoint, version, hellos),
  );
  const versions = (await Promise.all(asked)).filter((found) => found !== null);
  const old = versions.findLast(({ version }) => version !== 'TLSv1.3' && version !== 'SSLv2');
  const bits = hellos.flatMap(({ dhBits }) => (dhBits === null ? [] : [dhBits]));
  const first = hellos.find(({ version }) => version !== versionNumbers['TLSv1.3']);
  return {
    versions,
    serverPreference: old === undefined ? undefined : await preference(endpoint, old),
    compression: await compresses(endpoint, versions),
    secureRenegotiation: first?.extensions.has(extension.renegotiationInfo),
    extendedMasterSecret: old?.version === 'SSLv3' ? false : first && hellos.some(hasExtendedMasterSecret),
    fallbackProtected: await refusesFallback(endpoint, versions),
    dhBits: bits.length === 0 ? null : Math.min(...bits),
    asksForCertificate: first && hellos.some(({ asksForCertificate }) => asksForCertificate),
  };
}

async function surveySslv2(endpoint: Endpoint): Promise<VersionSurvey | null> {
  const answer = await ask(endpoint, sslv2Hello());
  if (answer.kind !== 'sslv2') return null;
  return { version: 'SSLv2', suites: [], groups: [], signatureAlgorithms: [] };
}

/** @param hellos collects the answers */
async function surveyVersion(
  endpoint: Endpoint,
  version: Modern,
  hellos: ServerHello[],
): Promise<VersionSurvey | null> {
  const offer = version === 'TLSv1.3' ? NEW_SUITES : OLD_SUITES;
  const chosen = await exhaust(offer, async (left) => {
    const answer = await helloOf(endpoint, { version, suites: [...left, ...scsv(version)] });
    if (answer !== null) hellos.push(answer);
    return answer?.suite ?? null;
  });
  if (chosen.length === 0) return null;
  return {
    version,
    suites: chosen.map(suiteOf),
    groups: await groupsOf(endpoint, version, chosen),
    signatureAlgorithms: await algorithmsOf(endpoint, version, chosen),
  };
}

async function groupsOf(endpoint: Endpoint, version: Modern, chosen: readonly number[]): Promise<string[]> {
  if (version === 'SSLv3') return [];
  const offer = version === 'TLSv1.3' ? chosen : chosen.filter((suite) => ELLIPTIC.includes(suite));
  if (offer.length === 0) return [];
  const found = await exhaust(Object.values(groups), async (left) => {
    const answer = await helloOf(endpoint, { version, suites: [...offer, ...scsv(version)], groups: left });
    return answer?.group ?? null;
  });
  return found.map((group) => nameOf(groups, group));
}

/** A server without a matching algorithm refuses before it encrypts anything. */
async function algorithmsOf(
  endpoint: Endpoint,
  version: Modern,
  chosen: readonly number[],
): Promise<string[]> {
  if (version !== 'TLSv1.2' && version !== 'TLSv1.3') return [];
  const offer = version === 'TLSv1.3' ? chosen : chosen.filter((suite) => SIGNED.includes(suite));
  const found: string[] = [];
  if (offer.length === 0) return found;
  for (const [name, number] of Object.entries(signatureAlgorithms)) {
    const options = { version, suites: offer, signatureAlgorithms: [number], keyShares: true };
    const answer = await helloOf(endpoint, options);
    if (answer !== null && !answer.retry) found.push(name);
  }
  return found;
}

async function preference(
  endpoint: Endpoint,
  { version, suites: chosen }: VersionSurvey,
): Promise<boolean | undefined> {
  if (chosen.length < 2 || version === 'SSLv2') return undefined;
  const order = chosen.map(({ number }) => number);
  const pick = async (offer: readonly number[]) =>
    (await helloOf(endpoint, { version, suites: [...offer, ...scsv(version)] }))?.suite;
  return (await pick(order)) === (await pick(order.toReversed()));
}

async function compresses(endpoint: Endpoint, versions: readonly VersionSurvey[]): Promise<boolean> {
  const old = versions.map(({ version }) => version).findLast((version) => version !== 'TLSv1.3');
  if (old === undefined || old === 'SSLv2') return false;
  const answer = await helloOf(endpoint, {
    version: old,
    suites: [...OLD_SUITES, RENEGOTIATION_SCSV],
    compression: true,
  });
  return answer !== null && answer.compression !== 0;
}

async function refusesFallback(
  endpoint: Endpoint,
  versions: readonly VersionSurvey[],
): Promise<boolean | undefined> {
  const spoken = versions.map(({ version }) => version).filter((version) => version !== 'SSLv2');
  const lower = spoken.at(-2);
  if (lower === undefined) return undefined;
  const offer = [...OLD_SUITES, ...scsv(lower), FALLBACK_SCSV];
  return (await helloOf(endpoint, { version: lower, suites: offer })) === null;
}

function hasExtendedMasterSecret({ extensions }: ServerHello): boolean {
  return extensions.has(extension.extendedMasterSecret);
}

/** The answer, if it has the requested version. */
async function helloOf(
  endpoint: Endpoint,
  options: Omit<HelloOptions, 'servername'>,
): Promise<ServerHello | null> {
  const answer = await hello(endpoint, options);
  return answer?.version === versionNumbers[options.version] ? answer : null;
}

/** SSL 3.0 has no extensions for that. */
function scsv(version: Modern): number[] {
  return version === 'SSLv3' ? [RENEGOTIATION_SCSV] : [];
}

/** Probes with ever smaller offers, and collects the choices. */
async function exhaust(
  offer: readonly number[],
  choose: (left: readonly number[]) => Promise<number | null>,
): Promise<number[]> {
  const chosen: number[] = [];
  for (;;) {
    const left = offer.filter((number) => !chosen.includes(number));
    const next = left.length === 0 ? null : await choose(left);
    if (next === null || chosen.includes(next)) return chosen;
    chosen.push(next);
  }
}
