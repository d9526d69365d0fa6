import { expect, test } from 'vitest';

import { abandonmentVerdict, bars, callsBehind, levelVerdict, longestVerdict, part, waitingVerdict } from './figures';

const TARGETS = { answer_ms: 20_000, short_ms: 5_000, level_percent: 80, longest_ms: 20_000, waiting: 4, abandoned_percent: 10 };

test('thresholds', () => {
  expect([8_000, 7_999, 5_999].map((level) => levelVerdict(level, TARGETS))).toEqual(['good', 'warn', 'bad']);
  expect([20_000, 21_000, 61_000].map((waits) => longestVerdict(waits, TARGETS))).toEqual(['good', 'warn', 'bad']);
  expect([4, 5, 13].map((waiting) => waitingVerdict(waiting, TARGETS))).toEqual(['good', 'warn', 'bad']);
  expect([1_000, 1_001, 3_001].map((share) => abandonmentVerdict(share, TARGETS))).toEqual(['good', 'warn', 'bad']);
});

test('nothing counted is no figure, and no alarm', () => {
  expect([part(null), levelVerdict(null, TARGETS), abandonmentVerdict(null, TARGETS), waitingVerdict(900, { ...TARGETS, waiting: 0 })]).toEqual([null, 'good', 'good', 'good']);
});

test('behind the level stand those first who were not answered in time', () => {
  const call = (n: number, outcome: 'waiting' | 'answered' | 'abandoned', in_target: boolean) => ({ call: n, at_ms: 1, waited_ms: 1, outcome, in_target, operator: null });
  const calls = [call(1, 'waiting', true), call(2, 'waiting', false), call(3, 'answered', true), call(4, 'abandoned', true), call(5, 'answered', false)];
  const of = (figure: Parameters<typeof callsBehind>[1]) => callsBehind(calls, figure).map((one) => one.call);
  expect(of('level')).toEqual([2, 4, 5, 3]);
  expect([of('waiting'), of('abandoned'), of('entered').length]).toEqual([[1, 2], [4], 5]);
});

test('bars are as high as their share of the highest', () => {
  const strip = [{ from_ms: 0, entered: 4, ended: 2, in_target: 1 }, { from_ms: 1, entered: 0, ended: 0, in_target: 0 }];
  expect(bars(strip, 40)).toEqual([{ x: 0, entered: 40, ended: 20, met: 10 }, { x: 1, entered: 0, ended: 0, met: 0 }]);
});
