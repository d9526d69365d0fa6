import { expect, test } from 'vitest';

import { given } from './orders';

test('orders of both kinds stand in one list, the newest first', () => {
  const state = { kind: 'state', target: 'nina', what: '{"kind":"state","operator":"nina","to":"ready"}', until_ms: null, by_name: 'boss', reason: 'many wait', at_ms: 20, refused: 'no_phone' };
  const home = { agent: 'omar', wanted: 'home', shift: null, until_ms: 90, by_name: 'boss', reason: 'ill', at_ms: 30 };
  const rows = given([state, { ...state, at_ms: 10 }], [home]);
  expect(rows.map(({ at_ms, target }) => [at_ms, target])).toEqual([[30, 'omar'], [20, 'nina'], [10, 'nina']]);
  expect([rows[0]?.shift?.wanted, rows[1]?.order, rows[1]?.refused]).toEqual(['home', { kind: 'state', operator: 'nina', to: 'ready' }, 'no_phone']);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(3);
});
