/**
 * What making a P-256 key and a certificate costs in a warm process, beside the openssl command making the same; and
 * what importing the package costs a program that makes none. Rounds are interleaved, so that a slow minute meets
 * both sides; the median counts.
 *
 *     node -C @knsock/source --import tsx benchmarks/src/certs.ts [rounds]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthority, type Authority } from '@knsock/certs';

// What we promise: as many certificates a second as openssl times this, and an import below so many ms.
const TARGETS = { ratio: 5, importMs: 50 };
const OURS = 100;
const THEIRS = 10;
const rounds = Number(process.argv[2] ?? 7);

/** Certificates a second. */
async function ours(authority: Authority): Promise<number> {
  const start = performance.now();
  for (let made = 0; made < OURS; made += 1)
    await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'] });
  return OURS / ((performance.now() - start) / 1_000);
}

/** Certificates a second, key and certificate by one run of the command each. */
function theirs(folder: string): number {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'leaf.key'];
  const issuer = ['-x509', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '90'];
  const leaf = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-out',
    'leaf.crt',
  ];
  const start = performance.now();
  for (let made = 0; made < THEIRS; made += 1) {
    execFileSync('openssl', ['req', ...issuer, ...key, ...leaf], { cwd: folder, stdio: 'pipe' });
  }
  return THEIRS / ((performance.now() - start) / 1_000);
}

/** Milliseconds that `import '@knsock/certs'` takes in a fresh process, from the built files. */
function importTime(): number {
  const program = `const start = performance.now(); await import('@knsock/certs'); console.log(performance.now() - start);`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd, encoding: 'utf8' }),
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Undefined where the packages aren't built. */
function measureImport(): number | undefined {
  try {
    return median(Array.from({ length: rounds }, importTime));
  } catch {
    return undefined;
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-bench-'));
try {
  const authority = await createAuthority({ commonName: 'Root' });
  writeFileSync(path.join(folder, 'ca.crt'), authority.certificate);
  writeFileSync(path.join(folder, 'ca.key'), authority.key);
  await ours(authority);
  const results: { readonly ours: number; readonly theirs: number }[] = [];
  for (let round = 0; round < rounds; round += 1)
    results.push({ ours: await ours(authority), theirs: theirs(folder) });
  const ratio = median(results.map((one) => one.ours / one.theirs));
  const importMs = measureImport();
  console.log(`key and certificate, P-256: ${median(results.map((one) => one.ours)).toFixed(0)} a second`);
  console.log(`the openssl command:        ${median(results.map((one) => one.theirs)).toFixed(0)} a second`);
  console.log(`ratio:                      ${ratio.toFixed(1)} (promised: ${TARGETS.ratio})`);
  console.log(
    `import:                     ${importMs?.toFixed(0) ?? 'not built'} ms (promised: under ${TARGETS.importMs})`,
  );
  process.exitCode = ratio >= TARGETS.ratio && (importMs ?? 0) < TARGETS.importMs ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
