import { execute } from '../process.mjs';

const limitMs = 300_000;

/** Builds the site of docs/ and the API reference into site/dist, and checks both; needs no network. */
export async function run() {
  const site = ['-C', '@knsock/source', 'scripts/site/main.mjs'];
  const { code } = await execute('tsx', site, { timeout: limitMs });
  return code;
}
