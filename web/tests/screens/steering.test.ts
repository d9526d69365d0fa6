// Does a supervisor steer from the wallboard by what the server takes? Pictures go to tests/pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { stumbles } from './axe';
import { board, now } from './city';
import { launch, Stage } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

const STEERING = {
  evacuation: null,
  modes: [{ queue: 'heating', mode: 'surge', by: null, reason: null, since_ms: now - 60_000, until_ms: null }],
  able: [{ operator: 'b.koval', levels: { heating: 9 }, queues: { roads: true }, by: 'boss', reason: 'ill', since_ms: now - 60_000, until_ms: now + 3_600_000 }],
  refused: [],
};
/** As the server tells somebody who does something else today. */
const OPERATORS = board.operators.map((one) => (one.operator === 'b.koval' ? { ...one, skills: { ...one.skills, heating: 9 }, settled_skills: one.skills } : one));

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: a queue is closed, skills change for today, and all leave by one key', async (theme, language) => {
  const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor', theme, language }, { steering: STEERING, operators: OPERATORS });
  const { page } = stage;
  await page.waitForSelector('article:has-text("b.koval"):has-text("boss"):has-text("ill")');
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

test('an evacuation stands on every page, with who ordered it and why', async () => {
  const evacuation = { by: 'boss', reason: 'fire', since_ms: now - 60_000 };
  for (const role of ['supervisor', 'operator']) {
    const stage = await Stage.open(browser, role === 'operator' ? '/' : '/register', { role }, { steering: { ...STEERING, evacuation } });
    await stage.page.waitForSelector('[role=alert]:has-text("fire (boss)")');
    expect(await stumbles(stage.page)).toEqual([]);
    await stage.close();
  }
});

test('a supervisor without a desk sends somebody into a break, and is told what could not be', async () => {
  const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor' });
  const { page } = stage;
  const omar = page.locator('article', { hasText: 'd.omar' });
  await omar.locator('button[aria-expanded]').click();
  await omar.locator('button', { hasText: 'State' }).click();
  await page.locator('dialog[open] select').nth(1).selectOption('lunch');
  await page.locator('dialog[open] input').last().fill('a long shift');
  expect(await stumbles(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toEqual({
    path: '/api/orders', body: { order: { kind: 'state', operator: 'd.omar', to: 'pause', pause: 'lunch' }, reason: 'a long shift' },
  });
  await page.waitForSelector('section[aria-label="What was ordered"] tr:has-text("d.omar"):has-text("could not be: no telephone is registered")');
  stage.shows({ at_ms: now + 2000, steering: { ...STEERING, refused: [{ operator: 'd.omar', why: 'no_phone', by: 'nina', at_ms: now + 1000 }, { operator: 'b.koval', why: 'no_phone', by: 'boss', at_ms: now + 1500 }] } });
  await page.waitForSelector('text=d.omar is not made ready: no telephone is registered.');
  expect(await page.locator('text=b.koval is not made ready').count()).toBe(0);
  expect(await stumbles(page)).toEqual([]);
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('a question about the evacuation keeps its meaning though another supervisor has answered it', async () => {
  const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor' });
  const { page } = stage;
  await page.waitForSelector('article');
  await page.keyboard.press('Control+Shift+KeyE');
  await page.locator('dialog[open] input').last().fill('fire');
  stage.shows({ at_ms: now + 2000, steering: { ...STEERING, evacuation: { by: 'boss', reason: 'smoke', since_ms: now } } });
  await page.waitForSelector('[role=alert]:has-text("smoke (boss)")');
  await page.keyboard.press('Enter');
  await expect.poll(() => stage.asked.at(-1)).toEqual({ path: '/api/orders', body: { order: { kind: 'evacuation', on: true }, reason: 'fire' } });
  await stage.close();
});

test('the table of shifts follows what others order', async () => {
  const stage = await Stage.open(browser, '/shifts', { role: 'supervisor' });
  const { page } = stage;
  await page.waitForSelector('section[aria-label="What was ordered"] tr:has-text("b.koval")');
  const table = { templates: {}, shifts: {}, operators: [{ operator: 'nina', is_on: false, shifts: [] }], orders: [{ agent: 'nina', wanted: 'home', shift: null, until_ms: now + 9000, by_name: 'boss', reason: 'a fever', at_ms: now }] };
  stage.answers('/api/shifts', table);
  stage.shows({ at_ms: now + 2000, shifts_revision: 2 });
  await page.waitForSelector('section[aria-label="What was ordered"] tr:has-text("a fever")');
  await stage.close();
});
