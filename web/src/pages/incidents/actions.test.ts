import { expect, test } from 'vitest';

import { allowed, mayPart } from './actions';

test('a supervisor confirms or dismisses what is proposed, and whoever owns it says that it is over', () => {
  expect(allowed('supervisor', 'proposed')).toEqual(['confirm', 'dismiss']);
  expect(allowed('organisation', 'proposed')).toEqual([]);
  expect(allowed('organisation', 'confirmed')).toEqual(['fix', 'reword']);
  expect(allowed('operator', 'confirmed')).toEqual([]);
  expect(allowed('supervisor', 'fixed')).toEqual([]);
});

test('cases part from what is live', () => {
  expect(mayPart('supervisor', 'proposed')).toBe(true);
  expect(mayPart('supervisor', 'fixed')).toBe(false);
  expect(mayPart('organisation', 'confirmed')).toBe(false);
});
