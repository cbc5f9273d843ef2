/** Credentials of `knsock serve --acme`: from an ACME server, renewed while it serves. */
import type { AcmeCredentials } from '@knsock/certs/acme';
import { readWhole } from '@knsock/core/options';
import { UsageError } from '../usage-error.js';
import type { AcmePlan } from './acme-options.js';
import type { ServeFlags } from './flags.js';
import type { ServeLog } from './serve-log.js';

/** Gets a certificate where the folder holds none, which takes some seconds. */
export async function acmeSource(
  plan: AcmePlan,
  { acmeAgree, acmeEmail, acmeChallenge = 'tls-alpn-01', acmeCa }: ServeFlags,
  clients: { readonly caFile?: string | undefined; readonly crlFile?: string | undefined },
  log: ServeLog,
): Promise<AcmeCredentials> {
  const { acmeCredentials, letsEncryptStaging } = await import('@knsock/certs/acme');
  const { domains, dir, listen } = plan;
  const directory = plan.directory ?? letsEncryptStaging;
  log.event(
    'acme',
    { names: domains, directory, dir },
    `certificate for ${domains.join(', ')} by ${directory}`,
  );
  const source = await acmeCredentials({
    ...clients,
    ...{ domains, directory, dir, listen },
    agree: acmeAgree,
    email: acmeEmail,
    challenge: acmeChallenge,
    directoryCa: acmeCa === undefined ? undefined : await directoryCa(acmeCa),
    onError: (error) => {
      log.failed('renewing the certificate', error);
    },
  });
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

async function directoryCa(file: string): Promise<string> {
  try {
    return (await readWhole(file)).toString('utf8');
  } catch (error) {
    const why = (error as Error).message;
    throw new UsageError(`the file of --acme-ca can't be read: ${why}`, 'Is the path right?', 'KNSOCK_READ');
  }
}
