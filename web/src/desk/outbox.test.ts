import { expect, test } from 'vitest';

import { Outbox } from './outbox';

test('what could not be sent waits and goes out in its order', () => {
  const outbox = new Outbox();
  outbox.keep({ type: 'hold', call: 1 }, 0, false);
  outbox.keep({ type: 'resume', call: 1 }, 10, false);
  outbox.keep({ type: 'hold', call: 1 }, 20, false);
  expect(outbox.waiting().map(({ wish }) => wish.type)).toEqual(['resume', 'hold']);
  expect(outbox.again(1000).map(({ type }) => type)).toEqual(['resume', 'hold']);
  expect(outbox.again(1000)).toEqual([]);
});

test('what is too old is not told any more, and stays in sight', () => {
  const outbox = new Outbox();
  const { id } = outbox.keep({ type: 'accept', call: 1 }, 0, false);
  expect(outbox.again(60_000)).toEqual([]);
  expect(outbox.waiting().length).toBe(1);
  outbox.putAway(id);
  expect(outbox.waiting()).toEqual([]);
});

test('what went out is told again unless something was heard since, or it would happen twice', () => {
  const outbox = new Outbox();
  outbox.keep({ type: 'ready' }, 0, true);
  outbox.heard(1);
  outbox.keep({ type: 'hang_up', call: 1 }, 100, true);
  outbox.keep({ type: 'call_out', number: '1', queue: null, shown: null }, 100, true);
  expect(outbox.waiting()).toEqual([]);
  expect(outbox.again(150)).toEqual([]);
  outbox.lost();
  expect(outbox.waiting().map(({ wish }) => wish.type)).toEqual(['hang_up', 'call_out']);
  expect(outbox.again(200)).toEqual([{ type: 'hang_up', call: 1 }]);
  expect(outbox.waiting().map(({ wish }) => wish.type)).toEqual(['call_out']);
});
