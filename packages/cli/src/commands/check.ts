/** `knsock check` */
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseAddress } from '../address.js';
import { baselineLine, accept, type TargetReport } from '../check/findings.js';
import { FOUND } from '../exit-codes.js';
import { append, milliseconds, passphraseOf } from '../options.js';
import type { Output } from '../output.js';
import { failOnOption, isWorse, type Severity } from '../severity.js';
import { UsageError } from '../usage-error.js';

interface CheckFlags {
  ca?: string[];
  passphraseFile?: string;
  servername?: string;
  timeout: number;
  failOn: Severity | 'never';
  baseline?: string;
  writeBaseline?: string;
}

export function defineCheck(command: Command, output: Output): void {
  command
    .argument('<target...>', 'files that belong together, folders, or host:port of servers')
    .option('--ca <file>', 'whom clients trust (repeatable; default for servers: Node’s own roots)', append)
    .option('--passphrase-file <file>', 'opens PKCS#12 files (or set KNSOCK_PASSPHRASE)')
    .option('--servername <name>', 'the name to ask a server for, and to expect (default: its host)')
    .option('--timeout <ms>', 'how long a server may take for each question', milliseconds, 5_000)
    .addOption(failOnOption('error'))
    .option('--baseline <file>', 'findings to accept, a line each: the rule and the target')
    .option('--write-baseline <file>', 'write what was found as such a file')
    .addHelpText('after', HELP)
    .action(async (targets: string[], flags: CheckFlags) => {
      process.exitCode = await check(targets, flags, output);
    });
}

async function check(targets: string[], flags: CheckFlags, output: Output): Promise<number> {
  const baseline = await readBaseline(flags.baseline);
  const reports = (await reportsOn(targets, flags)).map((report) => accept(report, baseline));
  const { reportText } = await import('../check/report.js');
  for (const report of reports) await output.result(report, reportText(report, output));
  const findings = reports.flatMap((report) => report.findings);
  if (flags.writeBaseline !== undefined) {
    await writeFile(flags.writeBaseline, findings.map((finding) => `${baselineLine(finding)}\n`).join(''));
  }
  return findings.some(({ severity }) => isWorse(severity, flags.failOn)) ? FOUND : 0;
}

async function reportsOn(
  targets: string[],
  { ca = [], passphraseFile, servername, timeout }: CheckFlags,
): Promise<TargetReport[]> {
  const { files, endpoints } = await sorted(targets);
  const at = new Date();
  const reports: TargetReport[] = [];
  if (files.length > 0) {
    const { checkFiles } = await import('../check/files.js');
    const passphrase = await passphraseOf(passphraseFile);
    reports.push(...(await checkFiles(files, { ca, passphrase, at })));
  }
  if (endpoints.length === 0) return reports;
  const { checkEndpoint } = await import('../check/endpoint.js');
  const anchors = ca.length === 0 ? null : await readAnchors(ca);
  for (const { host, port } of endpoints) {
    reports.push(await checkEndpoint({ host, port, servername, timeout }, anchors, at));
  }
  return reports;
}

async function sorted(
  targets: string[],
): Promise<{ files: string[]; endpoints: { host: string; port: number }[] }> {
  const { filesIn } = await import('../check/sorted-files.js');
  const files: string[] = [];
  const endpoints: { host: string; port: number }[] = [];
  for (const target of targets) {
    const info = await stat(target).catch(() => undefined);
    if (info?.isDirectory() === true) files.push(...(await filesIn(target)));
    else if (info !== undefined) files.push(target);
    else endpoints.push(endpointOf(target));
  }
  return { files, endpoints };
}

function endpointOf(target: string): { host: string; port: number } {
  if (!/:\d+$/.test(target)) {
    throw new UsageError(
      `there is no file ${target}`,
      'Is the path right? A server is given as host:port.',
      'KNSOCK_READ',
    );
  }
  const address = parseAddress(target);
  if ('path' in address) throw new UsageError('a Unix socket can’t be checked', 'Give host:port.');
  return { host: address.host ?? 'localhost', port: address.port };
}

async function readAnchors(files: readonly string[]) {
  const { parseCertificates } = await import('@knsock/core/x509');
  return (await Promise.all(files.map((file) => readFile(file)))).flatMap((bytes) =>
    parseCertificates(bytes),
  );
}

async function readBaseline(file: string | undefined): Promise<ReadonlySet<string>> {
  if (file === undefined) return new Set();
  try {
    return new Set((await readFile(file, 'utf8')).split('\n').map((line) => line.trim()));
  } catch (error) {
    throw new UsageError(
      `${file} can’t be read: ${(error as Error).message}`,
      '--write-baseline makes one.',
      'KNSOCK_READ',
    );
  }
}

const HELP = `
Exits with 3 where a finding is as bad as --fail-on, or worse. docs/check.md lists the rules. Examples:
  $ knsock check server.crt server.key ca.crt
  $ knsock check db.internal:5433 --ca ca.crt
  $ knsock check certs --fail-on warning --json`;
