// Does a supervisor steer from the wallboard by what the server takes? Only where its document knows orders. Pictures go to tests/pictures.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { stumbles } from './axe';
import { now } from './city';
import { launch, Stage } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');
const TAKEN = '"/api/orders"';
const knows = readFileSync(join(import.meta.dirname, '../../../openapi.json'), 'utf8').includes(TAKEN);

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

const STEERING = {
  evacuation: null,
  modes: [{ queue: 'heating', mode: 'surge', by: null, reason: null, since_ms: now - 60_000, until_ms: null }],
  able: [{ operator: 'b.koval', levels: { heating: 9 }, queues: { roads: true }, by: 'boss', reason: 'ill', since_ms: now - 60_000, until_ms: null }],
};

test.skipIf(!knows).each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: a queue is closed, skills change for today, and all leave by one key', async (theme, language) => {
  const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor', theme, language }, { steering: STEERING });
  const { page } = stage;
  await page.waitForSelector('article');
  await page.click('tbody tr >> nth=1 >> td:last-child button');
  await page.locator('dialog[open] select').first().selectOption('closed');
  await page.locator('dialog[open] input').last().fill('water in the hall');
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toEqual({ path: '/api/orders', body: { order: { kind: 'mode', queue: 'roads', mode: 'closed' }, reason: 'water in the hall' } });

  await page.locator('article', { hasText: 'b.koval' }).locator('button[aria-expanded]').click();
  await page.locator('article', { hasText: 'b.koval' }).locator('button').last().click();
  await page.locator('dialog[open] select').first().selectOption('4');
  await page.screenshot({ path: join(PICTURES, `able-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.locator('dialog[open] input').last().fill('today only');
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toEqual({
    path: '/api/orders', body: { order: { kind: 'able', operator: 'b.koval', levels: { heating: 4 }, queues: { roads: true } }, reason: 'today only' },
  });

  await page.keyboard.press('Control+Shift+KeyE');
  await page.locator('dialog[open] input').last().fill('fire');
  await page.screenshot({ path: join(PICTURES, `evacuation-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toEqual({ path: '/api/orders', body: { order: { kind: 'evacuation', on: true }, reason: 'fire' } });
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test.skipIf(!knows)('an evacuation stands on every page, with who ordered it and why', async () => {
  const evacuation = { by: 'boss', reason: 'fire', since_ms: now - 60_000 };
  for (const role of ['supervisor', 'operator']) {
    const stage = await Stage.open(browser, role === 'operator' ? '/' : '/register', { role }, { steering: { ...STEERING, evacuation } });
    await stage.page.waitForSelector('[role=alert]:has-text("fire (boss)")');
    expect(await stumbles(stage.page)).toEqual([]);
    await stage.close();
  }
});
