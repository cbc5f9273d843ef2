// The order of the site's pages beside the text: by what a reader wants to do.
import { titleOf } from './pages.mjs';
import { symbolContents } from './symbols.mjs';

const groups = [
  ['Start', ['README.md', 'docs/README.md', 'docs/from-node-tls.md', 'docs/from-mkcert-step.md']],
  [
    'Connections',
    [
      'docs/messages.md',
      'docs/connections.md',
      'docs/framings.md',
      'docs/http.md',
      'docs/pool.md',
      'docs/operations.md',
    ],
  ],
  ['Trust', ['docs/trust.md', 'docs/certificates.md', 'docs/enrolment.md', 'docs/acme.md', 'docs/check.md']],
  ['The command', ['docs/cli.md', 'docs/proxy.md', 'docs/from-stunnel-ghostunnel.md']],
  [
    'Reference',
    ['docs/defaults.md', 'docs/errors.md', 'docs/wire-format.md', 'docs/performance.md', 'docs/upgrading.md'],
  ],
  [
    'Migrating from kn-sock',
    [
      'docs/migrating-from-kn-sock/README.md',
      'docs/migrating-from-kn-sock/names.md',
      'docs/migrating-from-kn-sock/servers-and-clients.md',
      'docs/migrating-from-kn-sock/certificates.md',
      'docs/migrating-from-kn-sock/tls-settings.md',
      'docs/migrating-from-kn-sock/security.md',
      'docs/migrating-from-kn-sock/errors.md',
      'docs/migrating-from-kn-sock/pooling.md',
      'docs/migrating-from-kn-sock/use-cases.md',
      'docs/migrating-from-kn-sock/command-line.md',
      'docs/migrating-from-kn-sock/blocking-client.md',
    ],
  ],
  ['Migrating from pools', ['docs/from-hikaricp-generic-pool.md']],
  [
    'Packages',
    [
      'packages/core/README.md',
      'packages/certs/README.md',
      'packages/pool/README.md',
      'packages/cli/README.md',
    ],
  ],
  ['The project', ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md']],
];

/**
 * What stands beside the pages.
 * @param {readonly string[]} pages
 * @param {readonly import('./symbols.mjs').Module[]} modules the API's
 * @throws Error for a page of docs/ that has no place in the order
 */
export function sidebar(pages, modules) {
  const placed = groups.flatMap(([, files]) => files);
  const lost = pages.filter((page) => page.startsWith('docs/') && !placed.includes(page));
  if (lost.length > 0) throw new Error(`give ${lost.join(', ')} a place in scripts/site/contents.mjs`);
  const items = (files) => files.map((file) => ({ text: titleOf(file), link: linkOf(file) }));
  const guide = groups.map(([text, files]) => ({ text, items: items(files) }));
  const examples = pages.filter((page) => page.startsWith('examples/'));
  return {
    '/api/': [{ text: 'API', link: '/api/', items: symbolContents(modules) }],
    '/': [...guide, { text: 'Examples', items: items(examples) }],
  };
}

function linkOf(file) {
  return `/${file.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '')}`;
}
