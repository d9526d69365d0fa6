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

test('an operator with a telephone is ready without a microphone, and the page has no devices to choose', async () => {
  const stage = await Stage.open(browser, '/', { language: 'kk', theme: 'dark' }, (stage) => [{ ...welcome, speaks_by: 'telephone' }, state('offline')].forEach((message) => stage.say(message)));
  const { page } = stage;
  await page.waitForSelector('#idle-title');
  await page.keyboard.press('g');
  await expect.poll(() => stage.said).toContainEqual({ type: 'ready' });
  expect(stage.said.map(({ type }) => type)).not.toContain('sound');
  await page.click('button[title="Дыбыс және құрылғылар"]');
  await page.waitForSelector('dialog[open]');
  expect(await page.locator('dialog[open] select, dialog[open] input').count()).toBe(0);
  await page.screenshot({ path: join(PICTURES, 'desk-telephone-kk-dark.png') });
  expect(await stumbles(page)).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('an operator who speaks by the page connects its sound first, and tries the microphone before the shift', async () => {
  const stage = await Stage.open(browser, '/', {}, (stage) => [welcome, state('offline')].forEach((message) => stage.say(message)));
  const { page } = stage;
  await page.waitForSelector('#idle-title');
  await page.click('button[title="Sound and devices"]');
  await page.click('dialog[open] button:has-text("Try the microphone")');
  await page.waitForSelector('text=You are heard');
  await page.screenshot({ path: join(PICTURES, 'desk-devices-en-light.png') });
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await expect.poll(() => stage.said.map(({ type }) => type)).toContain('sound');
  expect(stage.said.map(({ type }) => type)).not.toContain('ready');
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: a note of one of those at the number, by keyboard alone, is seen at once', async (theme, language) => {
  const stage = await open('talk', { theme, language });
  const { page } = stage;
  stage.answers('/api/notes', { id: 9 });
  await page.keyboard.press('l');
  await page.waitForSelector('dialog[open] select');
  await page.keyboard.type('Door code 1234, ring twice');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.screenshot({ path: join(PICTURES, `desk-note-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.waitForSelector('[data-focus=context] li:has-text("Aigul S.:"):has-text("ring twice")');
  expect(stage.asked.at(-1)).toEqual({ path: '/api/notes', body: { call: 42, text: 'Door code 1234, ring twice', resident: 1 } });
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: a report of a running incident is taken into it once it is registered', async (theme, language) => {
  const stage = await open('talk', { theme, language });
  const { page } = stage;
  await page.fill('[data-focus=case-topic] input', 'leaks');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Абай');
  await page.waitForSelector('[role=option]:has-text("Абай даңғылы")');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('12');
  await page.waitForSelector('a[href="/incidents/7"]');
  await page.fill('textarea', 'Cold radiators');
  await page.screenshot({ path: join(PICTURES, `desk-duplicates-${language}-${theme}.png`), fullPage: true });
  await page.locator('section:has(a[href="/incidents/7"]) button').first().press('Enter');
  await page.screenshot({ path: join(PICTURES, `desk-joins-${language}-${theme}.png`), fullPage: true });
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('text=109-2026-004127');
  expect(stage.asked.filter(({ path }) => path.includes('incidents'))).toEqual([{ path: '/api/incidents/7/cases', body: { number: '109-2026-004127' } }]);
  await page.screenshot({ path: join(PICTURES, `desk-joined-${language}-${theme}.png`), fullPage: true });
  expect(await stumbles(page)).toEqual([]);
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
