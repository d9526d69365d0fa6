import { expect, test } from 'vitest';

import { kept, nextRing, typed } from './rings';

test('rings are typed in seconds and kept in milliseconds, without what goes without saying', () => {
  const rings = [{ after_ms: 0, level: 8 }, { after_ms: 60_000, drop: ['lifts'] }];
  expect(typed(rings)).toEqual([{ after: 0, level: 8, drop: [] }, { after: 60, level: 1, drop: ['lifts'] }]);
  expect(kept(typed(rings))).toEqual(rings);
});

test('a new ring is one that may follow', () => {
  const first = nextRing([]);
  expect([first.after, nextRing([first]), nextRing([{ after: 40, level: 2, drop: ['lifts'] }])]).toEqual([0, { after: 20, level: 5, drop: [] }, { after: 60, level: 1, drop: ['lifts'] }]);
});
