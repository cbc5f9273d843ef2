/** Credentials of `--acme`: from an ACME server, renewed while it serves. */
import type { AcmeCredentials, AcmeOptions } from '@knsock/certs/acme';
import type { CredentialFiles } from '@knsock/core';
import { decodeText, readWhole } from '@knsock/core/options';
import { naming, readInput } from '../files.js';
import { unreadable } from '../unreadable.js';
import { environmentProxy } from './environment-proxy.js';
import type { AcmePlan } from './acme-options.js';
import type { AcmeFlags } from './flags.js';
import type { ServeLog } from './serve-log.js';

/**
 * Gets a certificate where the folder holds none, which takes some seconds.
 * @param trust the files of the server's clients' CA and its lists
 */
export async function acmeSource(
  plan: AcmePlan,
  flags: AcmeFlags,
  { caFile, crlFile }: CredentialFiles,
  log: ServeLog,
): Promise<AcmeCredentials> {
  const { acmeCredentials, letsEncryptStaging } = await import('@knsock/certs/acme');
  const { domains, dir, listen } = plan;
  const { acmeChallenge = 'tls-alpn-01', acmeCa } = flags;
  const directory = plan.directory ?? letsEncryptStaging;
  const [ca, eab] = [acmeCa === undefined ? undefined : await readCa(acmeCa), await eabOf(flags)];
  log.event(
    'acme',
    { names: domains, directory, dir },
    `certificate for ${domains.join(', ')} by ${directory}`,
  );
  let work = 'getting';
  const source = await acmeCredentials({
    ...{ domains, directory, dir, listen, eab, caFile, crlFile },
    agree: flags.acmeAgree,
    email: flags.acmeEmail,
    profile: flags.acmeProfile,
    keyType: flags.acmeKeyType,
    challenge: acmeChallenge,
    directoryCa: ca,
    proxy: proxyOf(flags, directory, log),
    onError: (error) => {
      log.failed(`${work} the certificate`, error);
    },
  });
  work = 'renewing';
  logStatus(source, log);
  source.onChange(() => {
    logStatus(source, log);
  });
  return source;
}

function logStatus(source: AcmeCredentials, log: ServeLog): void {
  const { notAfter, dueAt } = source.status();
  const [until, due] = [notAfter.toISOString(), dueAt.toISOString()];
  log.event(
    'certificate',
    { notAfter: until, dueAt: due },
    `certificate valid until ${until}, renewal on ${due}`,
  );
}

function proxyOf({ acmeProxy }: AcmeFlags, directory: string, log: ServeLog): string | undefined {
  if (acmeProxy === undefined) return environmentProxy(directory, process.env);
  const message =
    'the password in --acme-proxy is an argument, which other users of this machine can see; give the URL in HTTPS_PROXY';
  if (URL.canParse(acmeProxy) && new URL(acmeProxy).password !== '')
    log.event('warning', { reason: 'argument', message }, `warning: ${message}`);
  return acmeProxy;
}

/** The key is read from a file alone: other users of the machine can see arguments. */
async function eabOf({ acmeEabKid: kid, acmeEabKeyFile: file }: AcmeFlags): Promise<AcmeOptions['eab']> {
  if (kid === undefined || file === undefined) return undefined;
  return { kid, hmacKey: (await read(file)).trim() };
}

/** As every other file of CAs is read: PEM, DER, PKCS#7, trust stores without a passphrase. */
async function readCa(file: string): Promise<string> {
  const { allCertificates, certificatesIn } = await import('@knsock/core/x509');
  const bytes = await readInput(file);
  const found = await naming(file, async () => allCertificates(await certificatesIn(bytes, {})));
  return found.map(({ pem }) => pem).join('');
}

async function read(file: string): Promise<string> {
  try {
    return decodeText(await readWhole(file));
  } catch (error) {
    throw unreadable(file, error);
  }
}
