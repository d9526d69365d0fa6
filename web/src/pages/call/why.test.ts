import { expect, test } from 'vitest';

import { able, besides, heldFor, unable, type Moment } from './why';

const why = (verdicts: Moment['why']['verdicts']): Moment['why'] => ({ rule: 'LongestIdle', needed: [], verdicts });

test('who was chosen and who could have been are able, all others are not', () => {
  const all = why([['a', { Chosen: { idle_ms: 1 } }], ['b', { Eligible: { idle_ms: 1 } }], ['c', { OffShift: {} }], ['d', { NotReady: { state: 'talking' } }]]);
  expect([able(all).map(([name]) => name), unable(all).map(([name]) => name)]).toEqual([['a', 'b'], ['c', 'd']]);
});

test('a moment holds until the next', () => {
  const moments = [10, 25].map((at_ms) => ({ at_ms, offered_to: null, why: why([]), left_out: 0, words: [] }));
  expect([heldFor(moments, 0), heldFor(moments, 1)]).toEqual([15, null]);
});

test('a mode and an order for today are told beside', () => {
  const more = { ...why([]), mode: 'surge', able_today: ['nina'] } as Moment['why'];
  expect(besides(more).map(([text]) => text)).toEqual(['mode-surge', 'why-able-today']);
  expect(besides(why([]))).toEqual([]);
});
