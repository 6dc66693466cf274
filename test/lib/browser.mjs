// A real browser looks at what people see. For every page the same is asked: no violation of WCAG 2.2 AA (axe-core), in
// light and dark, at 320 pixels and wide; nothing to scroll sideways; its language said; every control reached by the
// keyboard, with a focus one sees; no other host asked; and all of it without scripts, which its policy forbids.
//
//     const browser = await openBrowser();
//     await walk(browser, 'preferences', url, { language: 'nb', steps: ['save', 'undo'] }); // most is asked of 'en'
//     await browser.close();
//
// A step names a button (its value); it is reached by Tab and pressed by Enter, and the page that follows is asked the
// same. A step may also be { press, name, status, before(page), after(page) }: what is done before and looked at after,
// and the answer's status (200). DULT_SHOTS=FOLDER keeps a picture of each.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const BROWSERS = [process.env.DULT_BROWSER, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const NARROW = { width: 320, height: 640 };
const WIDE = { width: 1280, height: 800 };
const TABS_MAX = 200;
const TIMEOUT_MS = 60_000;
const shots = process.env.DULT_SHOTS;

const executablePath = BROWSERS.find((path) => path && existsSync(path));
// A reason to skip, or false.
export const skipWithoutBrowser = executablePath ? false : 'there is no Chromium here: scripts/setup test, or DULT_BROWSER=PATH';

export async function openBrowser() {
  const { chromium } = await import('playwright-core');
  axe ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

let axe; // its text: it is put into the page from outside, which no policy of a page forbids

async function violations(page) {
  const found = await page.evaluate(async (tags) => {
    const { violations: all } = await window.axe.run(document, { runOnly: tags });
    return all.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
  }, TAGS);
  return found;
}

async function picture(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

// What can be focused is focused, one after the other, by Tab alone; each shows it. Radios of one name are one stop.
async function tabs(page, name) {
  const count = await page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')];
    return new Set(all.map((one) => (one.type === 'radio' ? one.name : one))).size;
  });
  await page.evaluate(() => document.activeElement?.blur());
  const seen = new Set();
  for (let i = 0; i < count; i++) {
    await page.keyboard.press('Tab');
    const { at, outline } = await page.evaluate(() => {
      const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')];
      const style = getComputedStyle(document.activeElement);
      return { at: all.indexOf(document.activeElement), outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
    });
    assert.ok(outline, `${name}: one sees that control ${at} has the focus`);
    seen.add(at);
  }
  assert.equal(seen.size, count, `${name}: Tab reaches all of ${count} controls`);
}

async function look(page, name, language) {
  assert.equal(await page.evaluate(() => document.documentElement.lang), language, `${name}: says its language`);
  assert.equal(await page.evaluate(() => document.querySelectorAll('h1').length), 1, `${name}: has one heading`);
  assert.ok(await page.title(), `${name}: has a title`);
  await page.evaluate(axe);
  const more = language === 'en' ? [[NARROW, 'dark'], [WIDE, 'light']] : []; /* words are longer elsewhere, colours are the same */
  for (const [size, scheme] of [[NARROW, 'light'], ...more]) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme });
    const where = `${name} at ${size.width} in ${scheme}`;
    assert.deepEqual(await violations(page), [], where);
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(needed <= size.width, `${where}: ${needed} pixels are wider than the window`);
    await picture(page, where.replaceAll(' ', '-'));
  }
  await page.setViewportSize(NARROW);
  if (language === 'en') await tabs(page, name);
}

// By the keyboard alone.
async function press(page, value) {
  await page.evaluate(() => document.activeElement?.blur());
  for (let i = 0; i < TABS_MAX; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.value === wanted && document.activeElement.tagName === 'BUTTON', value)) {
      const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      return answer.status();
    }
  }
  assert.fail(`no Tab leads to the button ${value}`);
}

export async function walk(browser, name, url, { language = 'en', steps = [], mail = false, status = 200, after } = {}) {
  const origin = new URL(url).origin;
  const elsewhere = [];
  const scripts = [];
  const context = await browser.newContext({ viewport: NARROW, locale: language });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) elsewhere.push(request.url());
    });
    page.on('response', (response) => {
      const policy = response.headers()['content-security-policy'] ?? '';
      if (!policy.includes("default-src 'none'") || policy.includes('script-src')) scripts.push(response.url());
    });
    const answer = await page.goto(url);
    assert.equal(answer.status(), status, `${name}: its status`);
    await after?.(page);
    await (mail ? picture(page, `${name}-${language}`) : look(page, `${name} ${language}`, language));
    for (const step of steps.map((one) => (typeof one === 'string' ? { press: one } : one))) {
      const where = `${name} ${step.name ?? step.press} ${language}`;
      await step.before?.(page);
      assert.equal(await press(page, step.press), step.status ?? 200, `${where}: its status`);
      await step.after?.(page);
      await look(page, where, language);
    }
    assert.deepEqual(elsewhere, [], `${name}: asks no other host`);
    assert.deepEqual(scripts, [], `${name}: forbids scripts`);
  } finally {
    await context.close();
  }
}
