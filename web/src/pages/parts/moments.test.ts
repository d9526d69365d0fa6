import { expect, test } from 'vitest';

import { fromField, toField } from './moments';

test('a moment stays the same through a field, to the minute', () => {
  const at = Date.UTC(2026, 10, 22, 13, 44);
  expect(fromField(toField(at))).toBe(at);
  expect(fromField('')).toBeNull();
  expect(fromField('never')).toBeNull();
});
