// SPDX-License-Identifier: GPL-2.0-or-later
// chrome.mjs URL [NAME=VALUE ...] [--until URLREGEX] [--shot FILE.png] [--settle MS] [--width PIXELS] [--scheme dark|light] [--script off]
// Headless Chromium (Debian: chromium) driven by playwright-core; run it with common/node.sh (install browser).
// Fills and submits each login form that has a field of the first NAME, five at most; --until waits for a URL, --shot takes
// a screenshot of the whole last page. Certificates are not checked.
// SPNEGO=HOST[,HOST]: Chromium answers Negotiate of these hosts with the Kerberos ticket of $KRB5CCNAME.
// Prints the last URL and the page's text on stdout, each navigation and console error on stderr. Exit status 0, or 1 on a timeout.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [url, ...rest] = process.argv.slice(2);
const fill = {};
const options = {};
while (rest.length) {
  const word = rest.shift();
  if (word.startsWith('--')) options[word.slice(2)] = rest.shift();
  else fill[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1);
}

const spnego = process.env.SPNEGO;
const launch = {
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server', ...(spnego ? [`--auth-server-allowlist=${spnego}`] : [])],
};
const settings = {
  ignoreHTTPSErrors: true,
  colorScheme: options.scheme || 'light',
  javaScriptEnabled: options.script !== 'off',
  viewport: { width: +(options.width || 1280), height: 800 },
};

// with a ticket: a profile in a folder, for from a private one Chromium sends nothing by itself
const profile = spnego ? fs.mkdtempSync(path.join(os.tmpdir(), 'fedgate-chrome-')) : undefined;
const browser = spnego ? await chromium.launchPersistentContext(profile, { ...launch, ...settings }) : await chromium.launch(launch);
const context = spnego ? browser : await browser.newContext(settings);

async function logIn(page) {
  const first = Object.keys(fill)[0];
  if (!first || !(await page.locator(`[name="${first}"]`).count())) return false;
  for (const [name, value] of Object.entries(fill)) {
    const field = page.locator(`[name="${name}"]`).first();
    if (await field.count()) await field.fill(value).catch(() => field.click());
  }
  await Promise.all([page.waitForNavigation().catch(() => {}), page.locator('[type=submit],button').last().click()]);
  return true;
}

try {
  const page = await context.newPage();
  page.on('framenavigated', (frame) => frame === page.mainFrame() && console.error('nav', frame.url().slice(0, 140)));
  page.on('console', (message) => message.type() === 'error' && console.error('console', message.text()));
  await page.goto(url, { waitUntil: 'load' });
  // the first 401 of a profile may be shown before the browser's authentication service is ready
  if (spnego) await page.goto(url, { waitUntil: 'load' });
  for (let round = 0; round < 5; round++) {
    await page.waitForLoadState('networkidle');
    if (!(await logIn(page))) break;
  }
  if (options.until) await page.waitForURL(new RegExp(options.until));
  await page.waitForLoadState('networkidle');
  if (options.settle) await page.waitForTimeout(+options.settle);
  if (options.shot) await page.screenshot({ path: options.shot, fullPage: true });
  console.log(page.url());
  console.log(await page.locator('body').innerText());
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await browser.close();
  if (profile) fs.rmSync(profile, { recursive: true, force: true });
}
