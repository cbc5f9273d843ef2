/** The results of `inspect` as readable text. */
import { printable } from '@knsock/core/errors';
import { spanInWords } from '@knsock/core/options';
import type { Inspected, Inspection } from './inspect.js';
import type {
  InspectedCertificate,
  InspectedCrl,
  InspectedKey,
  InspectedRequest,
  UnknownExtension,
} from './facts.js';
import { subjectText } from '../issuing/subject.js';

/**
 * Lines of text, with an empty one between two objects.
 * @param at The moment from which days are counted; default now.
 */
export function summarize({ format, items }: Inspection, at: Date = new Date()): string {
  // The two common formats aren't mentioned.
  const file =
    format === undefined || format === 'PEM' || format === 'DER' ? [] : [`file  ${printable(format)}\n`];
  return [...file, ...items.map((item) => `${lines(item, at).join('\n')}\n`)].join('\n');
}

/** "in 12 days (2026-01-31 10:00 UTC)", "3 hours ago (…)". */
function dateInWords(date: Date, at: Date): string {
  const shown = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const span = spanInWords(Math.abs(date.getTime() - at.getTime()));
  return date < at ? `${span} ago (${shown})` : `in ${span} (${shown})`;
}

function lines(item: Inspected, at: Date): string[] {
  switch (item.type) {
    case 'certificate':
      return certificateLines(item, at);
    case 'crl':
      return crlLines(item, at);
    case 'request':
      return requestLines(item);
    case 'private-key':
    case 'public-key':
      return keyLines(item);
    case 'unreadable':
      return [`unreadable  ${item.problem}`, ...field('hint', item.hint)];
  }
}

function certificateLines(item: InspectedCertificate, at: Date): string[] {
  const expires = item.notAfter < at ? 'expired' : 'expires';
  const starts = item.notBefore > at ? [`valid from ${dateInWords(item.notBefore, at)}`] : [];
  const { nameConstraints: limits } = item;
  return [
    `${item.ca ? 'authority' : 'certificate'}  ${item.subject}`,
    ...field('called', item.friendlyName),
    ...field('issued by', item.selfSigned ? 'itself' : item.issuer),
    ...field('names', item.names.join(', ')),
    ...field('for', purposesOf(item)),
    ...field('marked for', item.trustMarks?.trusted?.join(', ')),
    ...field('marked against', item.trustMarks?.rejected.join(', ')),
    ...field('may sign for', limits?.permitted.join(', ')),
    ...field('never for', limits?.excluded.join(', ')),
    ...field('dates', [...starts, `${expires} ${dateInWords(item.notAfter, at)}`].join(', ')),
    ...field('key', `${item.key}, signed by ${item.signatureAlgorithm}`),
    ...field('serial', item.serial),
    ...field('SHA-256', item.fingerprint),
    ...field('pin', item.spkiPin),
    ...field('CRL at', item.crlUrls.join(', ')),
    ...extensionLines(item.unknownExtensions),
    ...item.findings.flatMap(({ severity, message, fix }) => field(severity, `${message}. ${fix}`)),
  ];
}

function purposesOf({ ca, extendedKeyUsage, pathLength }: InspectedCertificate): string {
  if (!ca) return extendedKeyUsage.join(', ') || "anything (it doesn't say)";
  if (pathLength === undefined) return 'signing certificates';
  return pathLength === 0
    ? 'signing leaf certificates only'
    : `signing, with ${count(pathLength, 'authority')} below`;
}

function crlLines(item: InspectedCrl, at: Date): string[] {
  const { nextUpdate } = item;
  const due =
    nextUpdate === undefined
      ? 'never due'
      : `${nextUpdate < at ? 'stale since' : 'due'} ${dateInWords(nextUpdate, at)}`;
  return [
    `revocation list  ${item.issuer}`,
    ...field('number', item.number),
    ...field(
      'changes',
      item.deltaBase && `a delta list: what changed since the list number ${item.deltaBase}`,
    ),
    ...scopeLines(item.scope),
    ...extensionLines(item.unknownExtensions),
    ...field('extension', item.unknownInEntry && `${item.unknownInEntry} (critical, in an entry)`),
    ...field('dates', `made ${dateInWords(item.thisUpdate, at)}, ${due}`),
    ...field('signed by', item.signatureAlgorithm),
    ...field('withdraws', count(item.size, 'certificate')),
    ...item.revoked.flatMap(({ serial, date, reason, issuer }) =>
      field(
        '',
        [serial, date.toISOString().slice(0, 10), reason, issuer && `of ${issuer}`].filter(Boolean).join(' '),
      ),
    ),
  ];
}

/** A list is no proof for what is outside its scope. */
function scopeLines(scope: InspectedCrl['scope']): string[] {
  if (scope === undefined) return [];
  return [
    ...field('of point', scope.points.join(', ')),
    ...field('only', scope.only),
    ...field('reasons', scope.reasons && `only ${scope.reasons}`),
    ...(scope.indirect ? field('indirect', 'entries may be certificates of other authorities') : []),
  ];
}

function extensionLines(extensions: readonly UnknownExtension[]): string[] {
  return extensions.flatMap(({ oid, critical, hex }) =>
    field('extension', `${oid}${critical ? ' (critical)' : ''} ${hex}`),
  );
}

function requestLines(item: InspectedRequest): string[] {
  return [
    `request  ${printable(subjectText(item.subject)) || '(no subject)'}`,
    ...field('names', [...item.names, ...item.otherNames].join(', ')),
    ...field('key', item.key),
    ...field(
      'signature',
      item.signatureValid ? "its key's own" : 'wrong: it was changed after it was signed',
    ),
    ...(item.ca ? field('warning', 'it asks for the right to sign certificates') : []),
  ];
}

function keyLines(item: InspectedKey): string[] {
  const locked = item.encrypted ? ', encrypted' : '';
  const unknown =
    item.problem === undefined ? '(closed without its passphrase)' : '(one that nobody accepts)';
  return [
    `${item.type.replace('-', ' ')}  ${item.key ?? unknown}${locked}`,
    ...field(
      'error',
      item.problem === undefined
        ? undefined
        : `${item.problem}. Make a new key: P-256, or RSA of 2,048 bits or more.`,
    ),
    ...field('called', item.friendlyName),
    ...field('pin', item.spkiPin),
  ];
}

/** Nothing for what isn't there. */
function field(label: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [`  ${label.padEnd(12)} ${printable(value)}`];
}

function count(number: number, noun: string): string {
  const plural = noun.endsWith('y') && noun !== 'day' ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
