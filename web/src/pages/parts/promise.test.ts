import { expect, test } from 'vitest';

import { nextDue, standing } from './promise';

const HOUR = 3_600_000;

test('a promise runs, comes near, and breaks', () => {
  expect(standing({ due_ms: 5 * HOUR }, 0)).toEqual({ how: 'running', ms: 5 * HOUR });
  expect(standing({ due_ms: 5 * HOUR }, 4 * HOUR)).toEqual({ how: 'soon', ms: HOUR });
  expect(standing({ due_ms: 5 * HOUR }, 7 * HOUR)).toEqual({ how: 'broken', ms: 2 * HOUR });
});

test('a promise that was kept stays as it was kept', () => {
  expect(standing({ due_ms: HOUR, kept_ms: 30, late_ms: null }, 9 * HOUR)).toEqual({ how: 'kept', ms: 0 });
  expect(standing({ due_ms: HOUR, kept_ms: 2 * HOUR, late_ms: HOUR }, 9 * HOUR)).toEqual({ how: 'kept-late', ms: HOUR });
});

test('what is owed next is taking it on, then doing it', () => {
  const row = { reaction_due_ms: 1, resolution_due_ms: 9 };
  expect(nextDue(row)).toBe(1);
  expect(nextDue({ ...row, reaction_kept_ms: 1 })).toBe(9);
  expect(nextDue({ ...row, reaction_kept_ms: 1, resolution_kept_ms: 8 })).toBeNull();
});
