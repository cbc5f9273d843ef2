/** `knsock check` */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { decodeText, readWhole } from '@knsock/core/options';
import { parseAddress } from '../address.js';
import { baselineLine, accept, type Finding, type TargetReport } from '../check/findings.js';
import { FOUND } from '../exit-codes.js';
import { naming, PUBLIC } from '../files.js';
import {
  caOption,
  crlOption,
  milliseconds,
  passphraseFileOption,
  passphraseOf,
  pfxKeyNameOption,
} from '../options.js';
import type { Output } from '../output.js';
import { addPolicyOptions, policiesOf, type PolicyFlags } from '../policy-flags.js';
import { addRevocationOptions, revocationOf, type RevocationFlags } from '../revocation-flags.js';
import { failOnOption, isWorse, type Severity } from '../severity.js';
import { noSource, unreadable } from '../unreadable.js';
import { UsageError } from '../usage-error.js';
import { writeFiles } from '../written-files.js';

interface CheckFlags extends RevocationFlags, PolicyFlags {
  ca?: string[];
  crl?: string[];
  passphraseFile?: string;
  pfxKeyName?: string;
  servername?: string;
  timeout: number;
  failOn: Severity | 'never';
  baseline?: string;
  writeBaseline?: string;
}

interface Unchecked {
  readonly target: string;
  readonly error: unknown;
}

export function defineCheck(command: Command, output: Output): void {
  command
    .argument('<target...>', 'files that belong together, directories, or host:port of servers')
    .addOption(
      caOption(
        "CA certificates that clients trust (repeatable; default: the roots among the files; for servers, Node's own)",
      ),
    )
    .addOption(crlOption('a revocation list beside those among the files, or its http(s) URL (repeatable)'))
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .option(
      '--servername <name>',
      'name to request from a server (SNI) and to expect in its certificate (default: its host)',
    )
    .option('--timeout <ms>', 'timeout for each connection to a server', milliseconds, 5_000);
  addRevocationOptions(command);
  addPolicyOptions(command)
    .addOption(failOnOption('error'))
    .option('--baseline <file>', 'file with accepted findings, one per line: rule and target')
    .option('--write-baseline <file>', 'write the findings to a baseline file')
    .addHelpText('after', HELP)
    .action(async (targets: string[], flags: CheckFlags) => {
      process.exitCode = await check(targets, flags, output);
    });
}

async function check(targets: string[], flags: CheckFlags, output: Output): Promise<number> {
  const baseline = await readBaseline(flags.baseline);
  const failures: Unchecked[] = [];
  const reports = (await reportsOn(targets, flags, failures)).map((report) => accept(report, baseline));
  const { reportText } = await import('../check/report.js');
  for (const report of reports) await output.result(report, reportText(report, output));
  const findings = reports.flatMap((report) => report.findings);
  if (flags.writeBaseline !== undefined) {
    await writeBaseline(flags.writeBaseline, findings);
  }
  reportUnchecked(failures, output);
  return findings.some(({ severity }) => isWorse(severity, flags.failOn)) ? FOUND : 0;
}

/** A server that couldn't be checked doesn't stop the others: they are reported first, then the error. */
function reportUnchecked(failures: readonly Unchecked[], output: Output): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  for (const { target, error } of others)
    output.warn(`${target} wasn't checked: ${(error as Error).message}`);
  throw first.error;
}

/** @param failures receives servers that can't be checked */
async function reportsOn(
  targets: string[],
  { ca = [], crl = [], passphraseFile, pfxKeyName: keyName, servername, timeout, ...flags }: CheckFlags,
  failures: Unchecked[],
): Promise<TargetReport[]> {
  const { files, endpoints } = await sorted(targets, failures);
  const lists = await listsOf(crl);
  const revocation = revocationOf(flags);
  const policies = policiesOf(flags);
  if (servername !== undefined && endpoints.length === 0)
    throw new UsageError(
      '--servername is the name of a server, and only files are given',
      'knsock certs verify FILE --ca CA --name NAME says whether a certificate is for a name.',
    );
  if (revocation !== undefined && files.length + lists.length === 0)
    throw new UsageError('no revocation list was given', 'Servers are checked against the lists of --crl.');
  const at = new Date();
  const passphrase = await passphraseOf(passphraseFile);
  const anchors = await readAnchors(ca, passphrase);
  const reports: TargetReport[] = [];
  if (files.length + lists.length > 0) {
    const { checkFiles } = await import('../check/files.js');
    reports.push(
      ...(await checkFiles(files, {
        trusted: anchors,
        passphrase,
        keyName,
        at,
        lists,
        revocation,
        policies,
        unread: (file, cause) => failures.push({ target: file, error: unreadable(file, cause) }),
      })),
    );
  }
  // Keys alone, for one, have no report.
  if (reports.length + failures.length + endpoints.length === 0) {
    const error = nothingIn(targets.join(', '));
    failures.push({ target: targets.join(', '), error });
  }
  if (endpoints.length === 0) return reports;
  const { checkEndpoint } = await import('../check/endpoint.js');
  const crls = lists.flatMap((list) => list.crls);
  for (const { host, port } of endpoints) {
    const trust = { anchors: ca.length === 0 ? null : anchors, at, crls, revocation, policies };
    await checkEndpoint({ host, port, servername, timeout }, trust).then(
      (report) => reports.push(report),
      (error: unknown) => failures.push({ target: `${host}:${port}`, error }),
    );
  }
  return reports;
}

/** Of files and URLs. */
async function listsOf(locations: readonly string[]) {
  if (locations.length === 0) return [];
  const { fetchCrls } = await import('@knsock/certs');
  return Promise.all(
    locations.map(async (file) => ({ file, crls: await naming(file, () => fetchCrls(file)) })),
  );
}

/** @param failures receives folders without a file to check */
async function sorted(
  targets: string[],
  failures: Unchecked[],
): Promise<{ files: string[]; endpoints: { host: string; port: number }[] }> {
  const { filesIn } = await import('../check/sorted-files.js');
  const files: string[] = [];
  const endpoints: { host: string; port: number }[] = [];
  for (const target of targets) {
    const info = await stat(target).catch(() => undefined);
    if (info?.isDirectory() === true) {
      const found = await filesIn(target);
      if (found.length === 0) failures.push({ target, error: nothingIn(target) });
      files.push(...found);
    } else if (info !== undefined) files.push(target);
    else endpoints.push(endpointOf(target));
  }
  return { files, endpoints };
}

/** Success would say that what was meant to be checked is safe. */
function nothingIn(target: string): UsageError {
  const hint =
    'Files are selected by the endings of their names, such as .crt, .pem, .key or .p12. Name others one by one.';
  return new UsageError(`there is nothing to check in ${target}`, hint);
}

function endpointOf(target: string): { host: string; port: number } {
  if (!/:\d+$/.test(target)) {
    throw noSource(target);
  }
  const address = parseAddress(target);
  if ('path' in address) throw new UsageError("a Unix socket can't be checked", 'Give host:port.');
  return { host: address.host ?? 'localhost', port: address.port };
}

/** @throws UsageError for a file without a certificate: a check without it would check less than requested */
async function readAnchors(files: readonly string[], passphrase: string | undefined) {
  const { sortFiles } = await import('../check/sorted-files.js');
  const {
    certificates,
    unreadable: spoilt,
    unread,
    others,
    lists,
    keys,
  } = await sortFiles(files, passphrase);
  for (const { file, cause } of unread) throw unreadable(file, cause);
  const odd = files.find((file) => !certificates.some((one) => one.file === file));
  if (odd === undefined) return certificates.flatMap(({ chain, others }) => [...chain, ...others]);
  const is = ({ file }: { readonly file: string }): boolean => file === odd;
  const held = lists.some(is)
    ? 'a revocation list'
    : keys.some(is)
      ? 'a key'
      : others.some(is)
        ? 'a request'
        : '';
  const { problem, advice } = spoilt.find(is) ?? {
    problem: held === '' ? 'it holds no certificate' : `it holds ${held}, not a certificate`,
  };
  const hint = advice ?? 'Is that the right file? --ca takes certificates of CAs.';
  throw new UsageError(`${odd} can't be trusted: ${problem}`, hint, 'KNSOCK_CERTIFICATE_MALFORMED', odd);
}

async function readBaseline(file: string | undefined): Promise<ReadonlySet<string>> {
  if (file === undefined) return new Set();
  try {
    return new Set(
      decodeText(await readWhole(file))
        .split('\n')
        .map((line) => line.trim()),
    );
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function writeBaseline(file: string, findings: readonly Finding[]): Promise<void> {
  const data = findings.map((finding) => `${baselineLine(finding)}\n`).join('');
  await writeFiles([{ file, data, mode: PUBLIC }], true);
}

const HELP = `
Exit code: 3 if a finding has at least the severity of --fail-on. knsock docs check lists the rules.

Examples:
  $ knsock check server.crt server.key ca.crt
  $ knsock check db.internal:5433 --ca ca.crt
  $ knsock check db.internal:5433 --ca ca.crt --crl http://ca.internal:9480/ca.crl
  $ knsock check certs --fail-on warning --json`;
