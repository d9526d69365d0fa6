import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Preferences, type Kept } from './preferences';

let told: Kept[] = [];
let heard: [string, unknown][] = [];
let mine: Preferences;

beforeEach(() => {
  vi.useFakeTimers();
  [told, heard] = [[], []];
  mine = new Preferences((kept) => told.push(kept));
  for (const name of ['language', 'theme']) mine.follow(name, (value) => heard.push([name, value]));
});
afterEach(() => vi.useRealTimers());

test('what was chosen elsewhere is heard at sign-in, and nothing is told for it', () => {
  mine.take({ language: 'kk', other: 1 }, false);
  mine.follow('other', (value) => heard.push(['other', value]));
  vi.runAllTimers();
  expect(heard).toEqual([['language', 'kk'], ['other', 1]]);
  expect(told).toEqual([]);
});

test('many choices are told once, with what was kept before', () => {
  mine.take({ language: 'kk' }, false);
  for (const volume of [1, 2, 3]) mine.keep('ring-volume', volume);
  vi.runAllTimers();
  expect(told).toEqual([{ language: 'kk', 'ring-volume': 3 }]);
});

test('what is chosen on the way in is theirs, and stronger than what was kept', () => {
  mine.keep('language', 'uk');
  vi.runAllTimers();
  expect(told).toEqual([]);
  mine.take({ language: 'kk', theme: 'dark' }, true);
  vi.runAllTimers();
  expect(heard).toEqual([['theme', 'dark']]);
  expect(told).toEqual([{ language: 'uk', theme: 'dark' }]);
});

test('the next person gets nothing of the one before, and what waited is told for the right one', () => {
  mine.take({}, true);
  mine.keep('theme', 'dark');
  mine.leave();
  expect(told).toEqual([{ theme: 'dark' }]);
  mine.take({}, true);
  vi.runAllTimers();
  expect(told).toHaveLength(1);
});
