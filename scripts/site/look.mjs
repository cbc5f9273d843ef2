// Looks at the built site in Chromium: at the width of a phone and of a desk, light and dark. A look fails by what axe
// finds, by a page wider than the window, by errors in the console, and by anything fetched from elsewhere.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { root } from '../process.mjs';
import { serveSite } from './serve.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const waitMs = 15_000;

/** The start, long prose, wide tables, generated lists, and the kinds of pages that the API has. */
const pages = [
  '/',
  '/docs/',
  '/docs/trust.html',
  '/docs/cli.html',
  '/docs/errors.html',
  '/docs/performance.html',
  '/api/@knsock/core/',
  '/api/@knsock/core/functions/listen.html',
  '/api/@knsock/core/interfaces/ConnectOptions.html',
];
const widths = { phone: { width: 390, height: 844 }, desk: { width: 1_280, height: 800 } };
const schemes = ['light', 'dark'];

/** VitePress's list of results has links in its options; a screen reader hears both. */
const ofTheSearchList = ['nested-interactive', 'label-content-name-mismatch'];

/** The path of a Chromium on this machine; undefined where there is none. */
export function findBrowser() {
  return browsers.find((file) => existsSync(file));
}

/**
 * @param {string} executablePath
 * @param {string} pictures the folder for a picture of each look, emptied first
 * @returns {Promise<{ looks: number, problems: string[] }>} a line for each look that failed
 */
export async function lookAtSite(executablePath, pictures) {
  rmSync(pictures, { recursive: true, force: true });
  mkdirSync(pictures, { recursive: true });
  const site = await serveSite(path.join(root, 'site/dist'));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: waitMs });
  try {
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    context.setDefaultTimeout(waitMs);
    const looks = [];
    for (const place of pages) looks.push(...(await lookAt(context, site.address, place, pictures)));
    for (const width of Object.keys(widths)) looks.push(await search(context, site.address, width, pictures));
    return { looks: looks.length, problems: looks.filter((look) => look !== undefined) };
  } finally {
    await browser.close();
    site.close();
  }
}

async function lookAt(context, address, place, pictures) {
  const { page, trouble } = await open(context, address, place);
  await page.evaluate(axe);
  const looks = [];
  for (const [width, viewport] of Object.entries(widths)) {
    for (const colorScheme of schemes) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const found = [...trouble.splice(0), ...(await violations(page)), ...(await overflow(page))];
      const name = `${nameOf(place)}-${width}-${colorScheme}`;
      await page.screenshot({ path: path.join(pictures, `${name}.png`) });
      looks.push(found.length === 0 ? undefined : `${name}: ${found.join('; ')}`);
    }
  }
  await page.close();
  return looks;
}

/** The local search finds an error by its code. */
async function search(context, address, width, pictures) {
  const { page, trouble } = await open(context, address, '/');
  await page.setViewportSize(widths[width]);
  await openSearch(page);
  await page.locator('.search-input').fill('KNSOCK_PORT_IN_USE');
  await page.locator('.results a').first().waitFor();
  await page.evaluate(axe);
  const found = [...trouble, ...(await violations(page, ofTheSearchList))];
  await page.screenshot({ path: path.join(pictures, `search-${width}.png`) });
  await page.close();
  return found.length === 0 ? undefined : `search-${width}: ${found.join('; ')}`;
}

/** The button does nothing before the page's script has run, which takes a while on a busy machine. */
async function openSearch(page) {
  const input = page.locator('.search-input');
  for (let tries = 0; tries < 15 && !(await input.isVisible()); tries += 1) {
    await page
      .locator('#local-search button')
      .click({ timeout: 2_000 })
      .catch(() => undefined);
    await input.waitFor({ timeout: 2_000 }).catch(() => undefined);
  }
}

async function open(context, address, place) {
  const trouble = [];
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(`the console says: ${message.text()}`);
  });
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith('data:'))
      trouble.push(`it fetches ${request.url()}`);
  });
  await page.goto(address + place);
  return { page, trouble };
}

async function violations(page, except = []) {
  const rules = Object.fromEntries(except.map((rule) => [rule, { enabled: false }]));
  const found = await page.evaluate((given) => globalThis.axe.run(given), { rules });
  return found.violations.map(({ id, help, nodes }) => {
    const [{ target, failureSummary }] = nodes;
    return `${id}: ${help}, ${nodes.length} times, such as ${target.join(' ')}: ${failureSummary}`;
  });
}

async function overflow(page) {
  const pixels = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = globalThis.document.documentElement;
    return scrollWidth - clientWidth;
  });
  return pixels > 0 ? [`the page is ${pixels} px wider than the window`] : [];
}

function nameOf(place) {
  const parts = place
    .replace(/\.html$/, '')
    .split('/')
    .filter(Boolean);
  return parts.join('-') || 'start';
}
