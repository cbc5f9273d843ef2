/** Options shared by the subcommands that make, request or renew certificates. */
import { Option } from 'commander';
import { append, count, milliseconds } from '../../options.js';
import { UsageError } from '../../usage-error.js';

export function commonNameOption(): Option {
  return new Option('--common-name <name>', 'common name of the subject (default: the first name)');
}

export function organizationalUnitOption(): Option {
  return new Option('--ou <name>', 'organisational unit of the subject (repeatable)').argParser(append);
}

export function daysOption(): Option {
  return new Option('--days <n>', 'validity in days (default: 90)').argParser(count);
}

export function maxDaysOption(): Option {
  return new Option('--max-days <n>', 'maximum validity allowed (default: 398)').argParser(count);
}

export function crlUrlOption(): Option {
  return new Option('--crl-url <url>', "URL of the authority's revocation list (repeatable)").argParser(
    append,
  );
}

export function overwriteOption(): Option {
  return new Option('--force', 'overwrite existing files');
}

/** For an authority server. */
export function answerTimeoutOption(): Option {
  return new Option('--timeout <ms>', 'time for each answer of the authority (default: 30000)').argParser(
    milliseconds,
  );
}

/**
 * No client checks a server by a URI: the address of a page in place of its host makes a certificate that all refuse.
 * @throws UsageError unless the host is given as well
 */
export function refuseWebAddresses(names: readonly string[]): void {
  for (const name of names) {
    const host = /^https?:/i.test(name) && URL.canParse(name) ? new URL(name).hostname : '';
    if (host === '' || names.includes(host)) continue;
    throw new UsageError(
      `${name} is the address of a page, and clients check a server by its host name`,
      `Give the host name: ${host}. For the URI, give both (certs token: as --uri).`,
      'KNSOCK_CERTIFICATE_NAME',
    );
  }
}
