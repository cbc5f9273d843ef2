import type { X509Certificate } from '../certificate.js';
import { failure, shortened, showList, type Failure } from '../failure.js';
import { showGeneralName } from '../general-names.js';
import { matchesName, parseExpectedName } from '../host-name.js';
import type { PathValidation } from '../path-validation.js';

/** Checks that the leaf is for the name expected, if there is one. */
export function checkName({ path, name, usage, rules }: PathValidation): Failure | undefined {
  const leaf = path[0] as X509Certificate;
  const isNameNeeded = name !== undefined || (rules.formalities && usage === 'server');
  if (isNameNeeded && !leaf.subjectAltNames) return failure('wrong-name', path, 0, missingNames(leaf, name));
  if (name === undefined || matchesName(leaf, name)) return undefined;
  if (!parseExpectedName(name))
    return failure('wrong-name', path, 0, `can't be for "${shortened(name)}", which is no name`);
  return failure(
    'wrong-name',
    path,
    0,
    `isn't for ${shortened(name)}; it is for ${showList((leaf.subjectAltNames ?? []).map(showGeneralName))}`,
  );
}

/** Common names count no more (RFC 9525 2), so such a certificate must be issued anew; the sentence says how. */
function missingNames({ subject }: X509Certificate, name: string | undefined): string {
  const wanted = name ?? subject.commonNames[0] ?? 'server.example';
  const kind = parseExpectedName(wanted)?.kind === 'ip' ? 'IP' : 'DNS';
  const example = `subjectAltName=${kind}:${wanted}`;
  return `has no subjectAltName, and its common name doesn't count; reissue it with one (openssl: -addext "${shortened(example)}")`;
}
