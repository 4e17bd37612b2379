// SPDX-License-Identifier: GPL-2.0-or-later
// chrome_driver.mjs   one headless Chromium (Debian's, by playwright-core) for many tests; run it with common/node.sh.
// A line of JSON on stdin is a command, its answer a line of JSON on stdout: {"value": ...} or {"error": "..."}.
//   {"do": "context", "scheme": "dark", "width": 360, "height": 740, "script": false}   a fresh browser profile: its name
//   {"do": NAME, "in": CONTEXT, ...}   what the table of commands below has
// Certificates are not checked. Ends with stdin. All that a page complains of (console errors, refusals by its content
// security policy, uncaught exceptions) and all requests are kept per context and fetched by "complaints" and "requests".
import readline from 'node:readline';
import { chromium } from 'playwright-core';

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--no-proxy-server',
]; // prettier-ignore
// hosts that get the Kerberos ticket of $KRB5CCNAME
if (process.env.SPNEGO) flags.push(`--auth-server-allowlist=${process.env.SPNEGO}`);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: flags });
const contexts = new Map();
let names = 0;

async function open({ scheme = 'light', width = 1280, height = 800, script = true, language = 'en' }) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    colorScheme: scheme,
    javaScriptEnabled: script,
    locale: language,
    reducedMotion: 'reduce',
    viewport: { width, height },
  });
  context.setDefaultTimeout(15000);
  const one = { context, page: await context.newPage(), complaints: [], requests: [], pending: new Set() };
  const { page } = one;
  context.on('console', (message) => {
    if (message.type() === 'error') one.complaints.push(`${page.url()}: ${message.text()}`);
  });
  context.on('weberror', (error) => one.complaints.push(`${page.url()}: ${error.error()}`));
  page.on('dialog', (dialog) => {
    one.complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  context.on('request', (request) => {
    const entry = { method: request.method(), url: request.url(), type: request.resourceType(), body: request.postData() };
    one.requests.push(entry);
    one.pending.add(request);
    request.response().then(
      (response) => response && (entry.status = response.status()),
      () => {},
    );
  });
  for (const end of ['requestfinished', 'requestfailed']) context.on(end, (request) => one.pending.delete(request));
  const name = String(++names);
  contexts.set(name, one);
  return name;
}

// until nothing is under way for a moment: a page that posts itself, its redirects, frames ("networkidle" takes half a second)
async function settle({ page, pending }) {
  const end = Date.now() + 15000;
  for (let calm = 0; calm < 4 && Date.now() < end; ) {
    await new Promise((done) => setTimeout(done, 25));
    const loaded = await page.evaluate(() => document.readyState === 'complete').catch(() => false);
    calm = loaded && !pending.size ? calm + 1 : 0;
  }
}

// each gets the context's entry and the command
const commands = {
  async goto(one, { url }) {
    const response = await one.page.goto(url, { waitUntil: 'load' });
    await settle(one);
    return response ? { status: response.status(), headers: response.headers() } : null;
  },
  async fill({ page }, { fields }) {
    for (const [selector, value] of Object.entries(fields)) await page.fill(selector, value);
  },
  // clicks what leads to another page
  async click(one, { selector }) {
    await Promise.all([one.page.waitForEvent('framenavigated'), one.page.click(selector)]);
    await settle(one);
  },
  async wait(one, { url }) {
    await one.page.waitForURL((at) => at.href.startsWith(url));
    await settle(one);
  },
  look: async ({ page }) => ({
    url: page.url(),
    title: await page.title(),
    text: await page.locator('body').innerText(),
  }),
  html: ({ page }) => page.content(),
  count: ({ page }, { selector }) => page.locator(selector).count(),
  evaluate: ({ page }, { script }) => page.evaluate(script),
  type: ({ page }, { text }) => page.keyboard.type(text),
  press: ({ page }, { key }) => page.keyboard.press(key),
  async shot({ page }, { path }) {
    await page.screenshot({ path, fullPage: true });
  },
  // what begins with url is answered here instead of by a server
  async answer({ context }, { url, body, status = 200 }) {
    await context.route(
      (at) => at.href.startsWith(url),
      (route) => route.fulfill({ status, contentType: 'text/html; charset=utf-8', body }),
    );
  },
  cookies: ({ context }) => context.cookies(),
  async setCookies({ context }, { cookies }) {
    await context.addCookies(cookies);
  },
  requests: ({ requests }) => requests.splice(0),
  complaints: ({ complaints }) => complaints.splice(0),
  async close({ context }, { in: name }) {
    contexts.delete(name);
    await context.close();
  },
};

async function perform(command) {
  if (command.do === 'context') return open(command);
  const one = contexts.get(command.in);
  if (!one || !Object.hasOwn(commands, command.do)) throw new Error(`no such context or command: ${JSON.stringify(command)}`);
  return commands[command.do](one, command);
}

const lines = readline.createInterface({ input: process.stdin });
for await (const line of lines) {
  let answer;
  try {
    answer = { value: (await perform(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
