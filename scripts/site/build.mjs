// Builds the site into site/dist: the repository's pages and the API reference, by VitePress, without a network.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'vitepress';
import { root } from '../process.mjs';
import { writeApi } from './api.mjs';
import { sidebar } from './contents.mjs';
import { copyPages } from './pages.mjs';

/** @returns the counts of `writeApi`; throws where a page can't be made or a link leads nowhere */
export async function buildSite() {
  const place = path.join(root, '.tmp/site');
  rmSync(place, { recursive: true, force: true });
  const folder = path.join(place, 'pages');
  mkdirSync(folder, { recursive: true });
  const pages = copyPages(folder);
  const api = await writeApi(path.join(folder, 'api'));
  writeFileSync(path.join(place, 'contents.json'), JSON.stringify({ sidebar: sidebar(pages, api.modules) }));
  await build(path.join(root, 'site'));
  return api;
}
