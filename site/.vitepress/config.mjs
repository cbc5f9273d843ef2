// The site of `npm run docs`: scripts/tasks/docs.mjs puts its pages together in .tmp/site first.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { anchor } from '../anchor.mjs';

const at = (place) => fileURLToPath(new URL(place, import.meta.url));
const { sidebar } = JSON.parse(readFileSync(at('../../.tmp/site/contents.json'), 'utf8'));

export default defineConfig({
  title: 'knsock',
  description: 'TLS over TCP for Node, secure by default',
  srcDir: at('../../.tmp/site/pages'),
  outDir: at('../dist'),
  cacheDir: at('../../.tmp/site/cache'),
  // Relative addresses only: the site works below any path, and loads nothing from elsewhere.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  metaChunk: true,
  vite: { build: { chunkSizeWarningLimit: 4_000 } }, // the index of the local search
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: anchor },
    toc: { slugify: anchor },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/docs/', activeMatch: '^/docs/' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Examples', link: '/examples/', activeMatch: '^/examples/' },
    ],
    sidebar,
  },
});
