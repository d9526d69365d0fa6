import { expect, test } from 'vitest';

import { stops } from './stations';

test('a case stands at one of four stations', () => {
  const line = stops({ station: 'being_done', registered_ms: 1, sent_ms: 2, begun_ms: 3, done_ms: null });
  expect(line.map(({ how }) => how)).toEqual(['past', 'past', 'here', 'ahead']);
  expect(line.map(({ at_ms }) => at_ms)).toEqual([1, 2, 3, null]);
});

test('what is ahead of a reopened case has no date', () => {
  expect(stops({ station: 'sent', registered_ms: 1, sent_ms: 9, begun_ms: 3, done_ms: 4 }).map(({ at_ms }) => at_ms)).toEqual([1, 9, null, null]);
});
