// Does everybody find the screens at another computer as they left them?
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { state, welcome } from './city';
import { launch, Stage } from './stage';

let browser: Browser;
beforeAll(async () => { browser = await launch(); });
afterAll(() => browser.close());

const KEPT = { language: 'kk', theme: 'dark', letters: false, 'ring-volume': 0.25, devices: { microphone: { id: 'of another computer', label: 'Fake Audio Input 2' } } };
const ME = { name: 'nina', role: 'operator', second_factor: false, has_desk: true, preferences: KEPT };
const told = (stage: Stage) => stage.asked.filter(({ path }) => path === '/api/me').map(({ body }) => body as { preferences: object });

test('what was chosen elsewhere holds from the sign-in on', async () => {
  const stage = await Stage.open(browser, '/', { role: null, language: 'en' }, (stage) => [welcome, state('ready')].forEach((message) => stage.say(message)));
  const { page } = stage;
  stage.answers('/api/login', ME);
  await page.fill('input[autocomplete=username]', 'nina');
  await page.fill('input[type=password]', 'secret-secret');
  await page.keyboard.press('Enter');
  await page.waitForSelector('html[lang=kk][data-theme=dark]');
  await page.waitForSelector('#idle-title');
  await page.keyboard.press('n');
  expect(await page.locator('dialog[open]').count()).toBe(0);
  await page.keyboard.press('Alt+KeyN');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await page.click('button[title="Дыбыс және құрылғылар"]');
  await expect.poll(() => page.locator('dialog[open] select').first().evaluate((select: HTMLSelectElement) => select.selectedOptions[0]?.label)).toBe('Fake Audio Input 2');
  expect(await page.inputValue('dialog[open] input[type=range]')).toBe('0.25');
  expect(told(stage)).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('what is chosen is kept at the server, once and whole', async () => {
  const stage = await Stage.open(browser, '/', {}, (stage) => [welcome, state('ready')].forEach((message) => stage.say(message)));
  const { page } = stage;
  stage.answers('/api/me', ME);
  await page.reload();
  await page.waitForSelector('html[lang=kk]');
  await page.waitForSelector('#idle-title');
  await page.click('header button:has-text("nina")');
  await page.click('[role=group] button[aria-pressed=false] >> nth=1');
  await page.waitForSelector('html[data-theme=light]');
  await page.click('header button:has-text("kk")');
  await page.click('button[lang=uk]');
  await expect.poll(() => told(stage)).toEqual([{ preferences: { ...KEPT, theme: 'light', language: 'uk' } }]);
  await stage.close();
});

test('a language that was chosen on the way in is theirs', async () => {
  const stage = await Stage.open(browser, '/', { role: null, language: 'en' });
  const { page } = stage;
  stage.answers('/api/login', { ...ME, role: 'city', has_desk: false });
  await page.click('button:has-text("en")');
  await page.click('button[lang=uk]');
  await page.fill('input[autocomplete=username]', 'nina');
  await page.fill('input[type=password]', 'secret-secret');
  await page.keyboard.press('Enter');
  await page.waitForSelector('html[lang=uk][data-theme=dark]');
  await expect.poll(() => told(stage)).toEqual([{ preferences: { ...KEPT, language: 'uk' } }]);
  await stage.close();
});
