// Is every state of the desk drawn well: light, dark, in each language, at 200 %, for whoever uses the keyboard alone? Pictures go to tests/pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { stumbles } from './axe';
import { board, now, offer, state, story, welcome } from './city';
import { launch, Stage, type Look } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');
const LANGUAGES = ['kk', 'ru', 'uk', 'en'];

/** What reaches beyond the right edge. */
const WIDE = "[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.sr-only')).map((one) => one.tagName + ' ' + one.className).slice(0, 5)";

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

/** A moment of a shift: what the server has said until then, and what must be on the screen. */
const MOMENTS: Record<string, { said: object[]; shown: string }> = {
  ready: { said: [welcome, state('ready')], shown: '#idle-title' },
  offer: { said: [welcome, state('offered', { call: 42, since_ms: now - 2000 }), offer, { type: 'context', call: 42, story }], shown: '#offer-title' },
  talk: { said: [welcome, state('talking', { call: 42, since_ms: now - 271_000 }), { ...offer, ringing: false }, { type: 'context', call: 42, story }], shown: '#talk-title' },
  consult: {
    said: [welcome, state('talking', { call: 42, since_ms: now - 271_000 }), { ...offer, ringing: false }, { type: 'context', call: 42, story }, { type: 'call_state', call: 42, state: 'consulting' }],
    shown: '#talk-title',
  },
  wrap_up: {
    said: [welcome, { ...offer, ringing: false }, { type: 'context', call: 42, story }, { type: 'call_state', call: 42, state: 'ended' }, state('wrap_up', { since_ms: now - 10_000, until_ms: now + 20_000, extendable: true })],
    shown: '#wrap-up-title',
  },
};

const open = async (moment: string, look: Look) => {
  const { said, shown } = MOMENTS[moment] ?? { said: [], shown: 'main' };
  const stage = await Stage.open(browser, '/', look, (stage) => said.forEach((message) => stage.say(message)));
  await stage.page.waitForSelector(shown);
  await stage.page.evaluate('document.fonts.ready');
  return stage;
};

describe.each(Object.keys(MOMENTS))('%s', (moment) => {
  test.each([['light'], ['dark']] as const)('%s: nothing to stumble over', async (theme) => {
    const stage = await open(moment, { theme, language: theme === 'light' ? 'en' : 'kk' });
    expect(await stumbles(stage.page)).toEqual([]);
    expect(stage.faults).toEqual([]);
    await stage.close();
  });

  test.each(LANGUAGES)('fits in %s, also at 200 %', async (language) => {
    const stage = await open(moment, { language });
    const { page } = stage;
    const picture = (name: string, fullPage = false) => page.screenshot({ path: join(PICTURES, `desk-${moment}-${language}-${name}.png`), fullPage });
    await picture('light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('dark');
    await page.setViewportSize({ width: 720, height: 450 });
    await picture('200', true);
    expect(await page.evaluate(WIDE)).toEqual([]);
    await stage.close();
  });
});

test('sign-in: nothing to stumble over', async () => {
  for (const [theme, language] of [['light', 'ru'], ['dark', 'uk']] as const) {
    const stage = await Stage.open(browser, '/', { role: null, theme, language });
    await stage.page.waitForSelector('#demo-title');
    expect(await stumbles(stage.page)).toEqual([]);
    await stage.page.screenshot({ path: join(PICTURES, `sign-in-${language}-${theme}.png`) });
    await stage.close();
  }
});

test('a whole call by keyboard alone', async () => {
  const stage = await open('ready', {});
  const { page } = stage;
  await page.evaluate("localStorage.setItem('by-telephone', 'yes')");
  const heard = (type: string) => expect.poll(() => stage.said.map((wish) => wish.type)).toContain(type);
  stage.say(state('offered', { call: 42 }));
  stage.say(offer);
  stage.say({ type: 'context', call: 42, story });
  await page.waitForSelector('#offer-title');
  await heard('offer_shown');
  await page.keyboard.press('a');
  await heard('accept');
  stage.say({ type: 'call_state', call: 42, state: 'connected' });
  stage.say(state('talking', { call: 42 }));
  await page.waitForSelector('#talk-title');
  await page.keyboard.press('h');
  await heard('hold');
  await page.keyboard.press('t');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.type('koval');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.said).toContainEqual({ type: 'transfer', call: 42, to: { operator: 'b.koval' } });
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.keyboard.press('c');
  await page.keyboard.type('leaks');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Абай');
  await page.waitForSelector('[role=option]:has-text("Абай даңғылы")');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('12');
  await page.keyboard.press('Tab');
  await page.keyboard.type('40');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Water on the floor, h and e are letters here');
  await page.keyboard.press('Alt+KeyM');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('text=109-2026-004127');
  expect(stage.asked.find(({ path }) => path === '/api/cases')?.body).toMatchObject({
    call: 42, topic: 'heating/leak', text: 'Water on the floor, h and e are letters here', address: { street: 'Абай даңғылы', house: '12', flat: '40' }, place: { street: 1, building: 7, district: 'almaty' },
  });
  await page.keyboard.press('Alt+KeyE');
  await heard('hang_up');
  stage.say({ type: 'call_state', call: 42, state: 'ended' });
  stage.say(state('wrap_up'));
  await page.waitForSelector('#wrap-up-title');
  await page.keyboard.press('Alt+KeyG');
  await heard('wrap_up_done');
  stage.say(state('ready'));
  await page.waitForSelector('#idle-title');
  await page.keyboard.press('Alt+KeyP');
  await page.keyboard.press('Digit2');
  await expect.poll(() => stage.said).toContainEqual({ type: 'pause', reason: 'lunch' });
  await page.keyboard.press('Alt+Slash');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('what is typed survives a reload, in the same form', async () => {
  const stage = await open('talk', {});
  await stage.page.fill('textarea', 'cold since morning');
  await stage.page.reload();
  await stage.page.waitForSelector('#talk-title');
  await expect.poll(() => stage.page.inputValue('textarea')).toBe('cold since morning');
  await stage.close();
});

test('another tab has the desk: it says so and can take it back', async () => {
  const stage = await open('ready', {});
  stage.say({ type: 'board', board });
  stage.say({ type: 'taken_over' });
  await stage.page.waitForSelector('text=another tab');
  expect(await stumbles(stage.page)).toEqual([]);
  await stage.page.click('text=Work here instead');
  await stage.page.waitForSelector('text=another tab', { state: 'detached' });
  await stage.close();
});
