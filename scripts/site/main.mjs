// Builds the site and checks it; `npm run docs` runs this. Each check counts by itself in the closing line.
import path from 'node:path';
import { closingLine } from '../counts.mjs';
import { root } from '../process.mjs';
import { buildSite } from './build.mjs';
import { findLostAnchors } from './links.mjs';
import { findBrowser, lookAtSite } from './look.mjs';

const pictures = path.join(root, '.tmp/site-pictures');
const counts = { passed: 0, failed: 0, skipped: 0 };

function count(what, total, problems) {
  counts.passed += Math.max(0, total - problems.length);
  counts.failed += problems.length;
  console.log(`${what}: ${total.toLocaleString('en')}, ${problems.length} with a problem`);
  for (const problem of problems) console.log(`  ${problem}`);
}

const { symbols, missing } = await buildSite();
count('public symbols, each to have a docstring', symbols, missing);
const { links, lost } = findLostAnchors(path.join(root, 'site/dist'));
count('links to headings', links, lost);
const browser = findBrowser();
if (browser === undefined) {
  counts.skipped += 1;
  console.log('no Chromium on this machine: nobody looked at the pages');
} else {
  const { looks, problems } = await lookAtSite(browser, pictures);
  count(`looks at pages (pictures in ${path.relative(root, pictures)})`, looks, problems);
}
console.log(closingLine(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
