import { CredentialsError } from '../errors/index.js';
import { filesOfAnchors, type Credentials } from './credentials.js';

/**
 * A path ends at a root, or by choice at any anchor (`partialChain`): with intermediates and leaves alone no peer would be admitted.
 * @throws CredentialsError 'wrong-usage'
 */
export function requireUsableAnchors(credentials: Credentials, partialChain: boolean | undefined): void {
  const { anchors } = credentials;
  if (anchors === null || partialChain === true) return;
  if (anchors.some((anchor) => anchor.isSelfIssued || anchor.isSelfSigned)) return;
  const files = filesOfAnchors(credentials);
  const where = files.length === 0 ? 'ca' : files.join(' and ');
  const others = anchors.length > 1 ? ` and ${(anchors.length - 1).toLocaleString('en')} more` : '';
  throw new CredentialsError(
    'wrong-usage',
    `no client would be admitted: ${where} holds no root, at which a path ends, but ${anchors[0]?.subject.toString() ?? ''}${others}`,
    {
      file: files[0],
      hint: "Put the root above it into caFile (--ca), beside it or alone; the API's option partialChain trusts an intermediate by itself.",
    },
  );
}
