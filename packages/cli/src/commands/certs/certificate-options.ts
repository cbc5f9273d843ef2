/** Options shared by the subcommands that make, request or renew certificates. */
import { Option } from 'commander';
import { append, count, milliseconds } from '../../options.js';

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
