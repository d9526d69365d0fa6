// Does an administrator decide by what an operator talks, see who opened what, and open a locked account? Pictures go to tests/pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { stumbles } from './axe';
import { launch, Stage } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: an operator gets the page for a telephone, and keeps the telephone for later', async (theme, language) => {
  const stage = await Stage.open(browser, '/admin/operators', { role: 'administrator', theme, language });
  const { page } = stage;
  await page.click('td button >> nth=0');
  await page.waitForSelector('dialog[open] select');
  await page.screenshot({ path: join(PICTURES, `operator-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.locator('dialog[open] select:has(option[value=page])').selectOption('page');
  await page.getByLabel('heating', { exact: true }).selectOption('4');
  expect(await page.locator('dialog[open] input[type=password]').count()).toBe(0);
  await page.locator('dialog[open] input').last().fill('A headset has come');
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toMatchObject({ path: '/api/settings', body: { reason: 'A headset has come', operators: { nina: { skills: { kk: 10, heating: 4 }, browser: true, address: null, phone: { user: '201', password: null } } } } });
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: a queue gets a rule and a ring', async (theme, language) => {
  const stage = await Stage.open(browser, '/admin/queues', { role: 'administrator', theme, language });
  const { page } = stage;
  await page.click('td button >> nth=0');
  await page.waitForSelector('dialog[open] select:has(option[value=round_robin])');
  await page.locator('dialog[open] select:has(option[value=round_robin])').selectOption('round_robin');
  await page.locator('dialog[open] fieldset').last().locator('button').last().click();
  expect(await stumbles(page)).toEqual([]);
  await page.screenshot({ path: join(PICTURES, `queue-${language}-${theme}.png`), fullPage: true });
  await page.locator('dialog[open] input').last().fill('Nobody should wait for the best for long');
  await page.keyboard.press('Enter');
  const rings = [{ after_ms: 0, level: 8 }, { after_ms: 60_000, drop: ['heating'] }, { after_ms: 80_000, drop: ['heating'] }];
  await expect.poll(() => stage.asked.at(-1)).toMatchObject({ path: '/api/settings', body: { queues: { heating: { strategy: 'round_robin', rings, wrap_up_ms: 30_000 } } } });
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('a locked account is opened, and the record can be narrowed', async () => {
  const stage = await Stage.open(browser, '/admin/people', { role: 'administrator' });
  const { page } = stage;
  await page.click('button[aria-label="Unlock b.koval"]');
  await page.waitForSelector('dialog[open]');
  await page.screenshot({ path: join(PICTURES, 'unlock-en-light.png') });
  expect(await stumbles(page)).toEqual([]);
  await page.click('dialog[open] button:has-text("Unlock b.koval")');
  await expect.poll(() => stage.asked.map(({ path }) => path)).toEqual(['/api/accounts/b.koval/lock']);
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.click('a[href="/admin/accesses"]');
  await page.waitForSelector('text=Call 12, recording 1');
  await page.locator('select').first().selectOption('nina');
  await expect.poll(() => page.url()).toContain('/admin/accesses?who=nina');
  expect(stage.faults).toEqual([]);
  await stage.close();
});
