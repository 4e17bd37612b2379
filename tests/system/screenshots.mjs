// SPDX-License-Identifier: GPL-2.0-or-later
// screenshots.mjs FOLDER NAME=URL [NAME=URL ...]
// Shoots each page, whole, at phone (360x740) and desktop (1280x800) width, light and dark:
// FOLDER/NAME-phone-light.png ...
// Fails (exit status 1) if a page is wider than its window, if something to click is smaller than 44 px or if text and
// background differ by less than WCAG 2.1 AA asks for.  Needs the npm package playwright-core and Debian's chromium;
// certificates are not checked.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [folder, ...list] = process.argv.slice(2);
if (!folder || !list.length) {
  console.error('usage: screenshots.mjs FOLDER NAME=URL [NAME=URL ...]');
  process.exit(2);
}
const views = [
  { name: 'phone', width: 360, height: 740 },
  { name: 'desktop', width: 1280, height: 800 },
];

// runs in the page: what breaks the rules
function examine() {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`${root.scrollWidth} px wide in a window of ${root.clientWidth}`);
  for (const element of document.querySelectorAll('button, a, input:not([type=hidden]), select')) {
    const { width, height } = element.getBoundingClientRect();
    const inline = element.tagName === 'A' && getComputedStyle(element).display === 'inline';
    if (inline || !width || (height >= 44 && width >= 44)) continue;
    found.push(`${element.tagName} "${element.textContent}" is ${width}x${height}`);
  }
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll('body *')) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!words || !element.getBoundingClientRect().width) continue;
    const value = ratio(parse(getComputedStyle(element).color), behind(element));
    const text = element.textContent.trim().slice(0, 40);
    if (value < 4.5) found.push(`${element.tagName} "${text}" has contrast ${value.toFixed(2)}`);
  }
  for (const element of document.querySelectorAll('input:not([type=hidden]), .choice')) {
    const value = ratio(parse(getComputedStyle(element).borderTopColor), behind(element));
    if (value < 3) found.push(`border of ${element.tagName} ${element.id} has contrast ${value.toFixed(2)}`);
  }
  return found;
}

fs.mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'],
});
try {
  for (const view of views) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        viewport: { width: view.width, height: view.height },
        colorScheme,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() !== 'error') return;
        console.error(`${page.url()}: ${message.text()}`);
        process.exitCode = 1;
      });
      for (const item of list) {
        const [name, url] = [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)];
        await page.goto(url, { waitUntil: 'load' });
        await page.screenshot({ path: path.join(folder, `${name}-${view.name}-${colorScheme}.png`), fullPage: true });
        for (const finding of await page.evaluate(examine)) {
          console.error(`${name} ${view.name} ${colorScheme}: ${finding}`);
          process.exitCode = 1;
        }
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}
