// Are the pages beside the desk drawn well: light and dark, in the two longest languages, at 200 %? Pictures go to tests/pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { stumbles } from './axe';
import { now } from './city';
import { NUMBER } from './register';
import { launch, Stage } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');

/** What reaches beyond the right edge and cannot be moved to. */
const WIDE = 'document.documentElement.scrollWidth > innerWidth + 1';

/** Who looks where, and what must be on the screen by then. */
const PAGES: readonly [name: string, role: string | null, path: string, shown: string][] = [
  ['register', 'supervisor', '/register', 'text=109-2026-003988'],
  ['case', 'quality', `/case/${NUMBER}`, 'ol li:nth-child(4)'],
  ['tasks', 'quality', '/tasks', 'text=109-2026-004102'],
  ['districts', 'city', '/districts', 'svg polygon'],
  ['incidents', 'supervisor', '/incidents', 'td a'],
  ['incident', 'supervisor', '/incidents/7', 'dl'],
  ['wallboard', 'supervisor', '/wallboard', 'article'],
  ['call', 'supervisor', '/calls/42', 'audio'],
  ['call-why', 'quality', '/calls/42/why', 'ol li:nth-child(3)'],
  ['shifts', 'supervisor', '/shifts', 'abbr'],
  ['kiosk', null, '/wall/kiosk#kiosk_made-up', 'table'],
  ['kiosks', 'administrator', '/admin/kiosks', 'td'],
  ['inbox', 'organisation', '/inbox', 'article'],
  ['status', null, `/status/${NUMBER}`, 'ol li'],
  ['cabinet', null, '/cabinet', 'a[href^="/cabinet/"]'],
  ['cabinet-case', null, `/cabinet/${NUMBER}`, 'ol li'],
  ['people', 'administrator', '/admin/people', 'td'],
  ['accesses', 'administrator', '/admin/accesses', 'td'],
  ['operators', 'administrator', '/admin/operators', 'td'],
  ['queues', 'administrator', '/admin/queues', 'td'],
  ['numbers', 'administrator', '/admin/numbers', 'td'],
  ['dialplans', 'administrator', '/admin/dialplans', 'svg rect'],
];

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

describe.each(PAGES)('%s', (name, role, path, shown) => {
  test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: nothing to stumble over, nothing cut off at 200 %', async (theme, language) => {
    const stage = await Stage.open(browser, path, { role, theme, language });
    const { page } = stage;
    await page.waitForSelector(shown);
    await page.evaluate('document.fonts.ready');
    await page.screenshot({ path: join(PICTURES, `${name}-${language}-${theme}.png`) });
    expect(await stumbles(page)).toEqual([]);
    await page.setViewportSize({ width: 720, height: 450 });
    expect(await page.evaluate(WIDE)).toBe(false);
    expect(stage.faults).toEqual([]);
    await stage.close();
  });
});

test('an alarm stands on the wallboard until it is over', async () => {
  const alert = { id: 3, kind: 'longest', queue: 'heating', threshold: 60, value: 75, raised_ms: now - 42_000, ended_ms: null };
  const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor' }, { alerts: [alert, { ...alert, id: 2, queue: 'roads', ended_ms: now }] });
  await stage.page.waitForSelector('[role=alert] li:has-text("Heating: the longest wait is over its limit"):has-text("1:15, limit 1:00"):has-text("since 10:01")');
  expect(await stage.page.locator('[role=alert] li').count()).toBe(1);
  expect(await stumbles(stage.page)).toEqual([]);
  await stage.close();
});

describe('a supervisor', () => {
  test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: sees on every page who calls them', async (theme, language) => {
    const stage = await Stage.open(browser, '/wallboard', { role: 'supervisor', theme, language }, { help: [{ operator: 'a.serik', call: 41, since_ms: now - 42_000 }] });
    const { page } = stage;
    await page.waitForSelector('#app section li:has-text("a.serik"):has-text("0:42")');
    await page.waitForSelector('article');
    await page.evaluate('document.fonts.ready');
    await page.screenshot({ path: join(PICTURES, `help-${language}-${theme}.png`) });
    expect(await stumbles(page)).toEqual([]);
    await page.click('a[href="/register"]');
    await page.waitForSelector('text=109-2026-003988');
    await page.waitForSelector('[role=alert]:has-text("a.serik") + section li');
    expect(stage.faults).toEqual([]);
    await stage.close();
  });
});
