import { expect, test } from 'vitest';

import { abandonment, averageAnswer, inTarget, levelVerdict, waitVerdict } from './figures';

/** The vector of the definitions. */
const COUNTS = { offered: 100, answered: 90, answered_in_target: 80, abandoned: 10, abandoned_short: 3, flowed_out: 0, waited_ms: 900_000, longest_wait_ms: 1 };
const NOTHING = { offered: 0, answered: 0, answered_in_target: 0, abandoned: 0, abandoned_short: 0, flowed_out: 0, waited_ms: 0, longest_wait_ms: 0 };

test('figures follow their definitions', () => {
  expect(inTarget(COUNTS)).toBe(0.8);
  expect(abandonment(COUNTS)).toBe(0.1);
  expect(averageAnswer(COUNTS)).toBe(10_000);
});

test('nothing counted is no figure, and no alarm', () => {
  expect([inTarget(NOTHING), abandonment(NOTHING), averageAnswer(NOTHING)]).toEqual([null, null, null]);
  expect(levelVerdict(null)).toBe('good');
});

test('thresholds', () => {
  expect([0.8, 0.79, 0.5].map(levelVerdict)).toEqual(['good', 'warn', 'bad']);
  expect([20_000, 21_000, 61_000].map(waitVerdict)).toEqual(['good', 'warn', 'bad']);
});
