import { expect, test } from 'vitest';

import { spans, written } from './hours';

test('hours are read as they are typed', () => {
  const told = spans({ mon: '09:00-13:00, 14:00-18:00', sun: ' ' }, '2026-12-16:\n2026-12-31: 09:00-12:00');
  expect(told).toEqual({ week: { mon: ['09:00-13:00', '14:00-18:00'] }, special: { '2026-12-16': [], '2026-12-31': ['09:00-12:00'] } });
});

test('special days stay the same through the field', () => {
  const special = { '2026-12-16': [], '2026-12-31': ['09:00-12:00', '13:00-14:00'] };
  expect(spans({}, written(special)).special).toEqual(special);
});
