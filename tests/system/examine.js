// SPDX-License-Identifier: GPL-2.0-or-later
// Runs in a page and says what breaks the rules: wider than its window, something to click smaller than 44 px, text or
// borders of fields that differ from their background by less than WCAG 2.1 AA asks for.
(() => {
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
})();
