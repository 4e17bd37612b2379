// SPDX-License-Identifier: GPL-2.0-or-later
// chrome.mjs URL [NAME=VALUE ...] [--until URLREGEX] [--shot FILE.png] [--settle MS] [--width PIXELS] [--scheme dark|light] [--script off]
// Headless Chromium (Debian: chromium) driven by playwright-core; run it with common/node.sh (install browser).
// Fills and submits each login form that has a field of the first NAME, five at most; --until waits for a URL, --shot takes
// a screenshot of the whole last page. Certificates are not checked.
// Prints the last URL and the page's text on stdout, each navigation and console error on stderr. Exit status 0, or 1 on a timeout.
import { chromium } from 'playwright-core';

const [url, ...rest] = process.argv.slice(2);
const fill = {};
const options = {};
while (rest.length) {
  const word = rest.shift();
  if (word.startsWith('--')) options[word.slice(2)] = rest.shift();
  else fill[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1);
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
});
const context = await browser.newContext({
  ignoreHTTPSErrors: true,
  colorScheme: options.scheme || 'light',
  javaScriptEnabled: options.script !== 'off',
  viewport: { width: +(options.width || 1280), height: 800 },
});

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
}
