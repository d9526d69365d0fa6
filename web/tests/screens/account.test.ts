// Can everybody guard the own account, by keyboard alone, and does a slip there end nobody's session? Pictures go to tests/pictures.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { stumbles } from './axe';
import { launch, Refuses, Stage } from './stage';

const PICTURES = join(import.meta.dirname, '../pictures');
const WIDE = 'document.documentElement.scrollWidth > innerWidth + 1';
const ENROLMENT = { uri: 'otpauth://totp/Cityline:nina?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Cityline', secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' };

let browser: Browser;
beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
afterAll(() => browser.close());

test.each(['operator', 'quality', 'supervisor', 'administrator', 'organisation', 'city'])('%s gets there from the own menu', async (role) => {
  const stage = await Stage.open(browser, '/account', { role });
  await stage.page.waitForSelector('#password-title');
  await stage.page.click('header button:has-text("nina")');
  await stage.page.click('a[href="/account"]');
  await stage.page.waitForSelector('#factor-title');
  expect(stage.faults).toEqual([]);
  await stage.close();
});

test('a second factor is set up by keyboard alone; wrong words end no session', async () => {
  const stage = await Stage.open(browser, '/account', { role: 'supervisor' });
  const { page } = stage;
  stage.answers('/api/me/second-factor', new Refuses(401, 'wrong_password'));
  await page.locator('section:has(#factor-title) input').focus();
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=The password is wrong');
  stage.answers('/api/me/second-factor', ENROLMENT);
  await page.keyboard.type('right-right');
  await page.keyboard.press('Enter');
  await page.waitForSelector('svg[role=img]');
  expect(await page.textContent('code')).toBe('JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP');
  stage.answers('/api/me/second-factor/confirm', new Refuses(401, 'wrong_code'));
  await page.keyboard.type('000000');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=The code is wrong');
  stage.answers('/api/me/second-factor/confirm', {});
  await page.keyboard.type('123456');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=An administrator takes the second factor away');
  expect(stage.asked.map(({ path, body }) => [path, body])).toEqual([
    ['/api/me/second-factor', { password: 'wrong' }], ['/api/me/second-factor', { password: 'right-right' }],
    ['/api/me/second-factor/confirm', { code: '000000' }], ['/api/me/second-factor/confirm', { code: '123456' }],
  ]);
  await stage.close();
});

test('the own password is changed once it is typed twice alike', async () => {
  const stage = await Stage.open(browser, '/account', { role: 'city' });
  const { page } = stage;
  await page.locator('section:has(#password-title) input[autocomplete=current-password]').focus();
  await page.keyboard.type('old-old-old');
  await page.keyboard.press('Tab');
  await page.keyboard.type('new-new-new');
  await page.keyboard.press('Tab');
  await page.keyboard.type('new-new-nwe');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=It is not the same as above');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('new-new-new');
  stage.answers('/api/me/password', new Refuses(401, 'wrong_password'));
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=The password is wrong');
  stage.answers('/api/me/password', {});
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=The password is changed');
  expect(stage.asked.at(-1)).toEqual({ path: '/api/me/password', body: { old: 'old-old-old', new: 'new-new-new' } });
  await stage.close();
});

test('a session that is over leads to the sign-in', async () => {
  const stage = await Stage.open(browser, '/account', { role: 'city' });
  stage.answers('/api/me/password', new Refuses(401, 'sign_in'));
  await stage.page.fill('section:has(#password-title) input[autocomplete=current-password]', 'old-old-old');
  for (const field of await stage.page.locator('input[autocomplete=new-password]').all()) await field.fill('new-new-new');
  await stage.page.keyboard.press('Enter');
  await stage.page.waitForSelector('form input[autocomplete=username]:not(.sr-only)');
  await stage.close();
});

test.each([['light', 'ru'], ['dark', 'kk']] as const)('%s, %s: nothing to stumble over, nothing cut off at 200 %', async (theme, language) => {
  const stage = await Stage.open(browser, '/account', { role: 'quality', theme, language });
  const { page } = stage;
  stage.answers('/api/me/second-factor', ENROLMENT);
  await page.waitForSelector('#factor-title');
  await page.evaluate('document.fonts.ready');
  await page.screenshot({ path: join(PICTURES, `account-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.fill('section:has(#factor-title) input', 'right-right');
  await page.keyboard.press('Enter');
  await page.waitForSelector('svg[role=img]');
  await page.screenshot({ path: join(PICTURES, `account-factor-${language}-${theme}.png`) });
  expect(await stumbles(page)).toEqual([]);
  await page.setViewportSize({ width: 720, height: 450 });
  expect(await page.evaluate(WIDE)).toBe(false);
  expect(stage.faults).toEqual([]);
  await stage.close();
});
