import type { X509Certificate } from '../certificate.js';
import { failure, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';

const HINT =
  "Have the CA's own certificate issued anew, as a CA (knsock certs ca makes one), and trust that.";

/** Checks that everything above the leaf is a CA that may sign certificates, and the path lengths (RFC 5280 6.1.4 k to n). */
export function checkAuthority({ path }: Pick<PathValidation, 'path'>): Failure | undefined {
  for (let depth = 1; depth < path.length; depth++) {
    const problem = authorityProblem(path[depth] as X509Certificate);
    if (problem !== undefined) return failure('wrong-usage', path, depth, problem, HINT);
  }
  return checkPathLength(path);
}

function authorityProblem({ version, basicConstraints, keyUsage }: X509Certificate): string | undefined {
  if (version < 3)
    return `has issued a certificate, but is of version ${version}, which can't say that it is a CA; reissue it as version 3 with basicConstraints CA:TRUE`;
  if (!basicConstraints?.ca) return "has issued a certificate, but isn't a CA (no basicConstraints CA:TRUE)";
  if (keyUsage && !keyUsage.has('keyCertSign'))
    return "has issued a certificate, but its key usage doesn't allow that (no keyCertSign)";
  return undefined;
}

/** Counts from the anchor down; a self-issued certificate (a CA's change of key) doesn't count. */
function checkPathLength(path: readonly X509Certificate[]): Failure | undefined {
  let remaining = path.at(-1)?.basicConstraints?.pathLength ?? Infinity;
  for (let depth = path.length - 2; depth > 0; depth--) {
    const certificate = path[depth] as X509Certificate;
    if (!certificate.isSelfIssued && remaining-- <= 0) {
      return failure(
        'path-length',
        path,
        depth,
        'is one CA more than a CA above it allows to follow (path length)',
      );
    }
    remaining = Math.min(remaining, certificate.basicConstraints?.pathLength ?? Infinity);
  }
  return undefined;
}
