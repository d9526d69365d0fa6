import { expect, test } from 'vitest';

import { FIRST, fromFilter, fromQuery, goesOn, isNarrowed, toAddress, toFilter } from './view';

test('the register opens on what is late', () => {
  expect(fromQuery(new URLSearchParams())).toEqual(FIRST);
  expect(toFilter(FIRST)).toEqual({ overdue: true });
  expect(toAddress(FIRST)).toBe('/register');
});

test('a view is the same by its address and by its filter', () => {
  const view = { ...FIRST, show: 'open', organisation: 'heat', text: 'leak & smell' } as const;
  const address = toAddress(view);
  expect(fromQuery(new URLSearchParams(address.split('?')[1]))).toEqual(view);
  expect(fromFilter(toFilter(view))).toEqual(view);
});

test('an address that somebody changed by hand shows what is late', () => {
  expect(fromQuery(new URLSearchParams('show=everything')).show).toBe('overdue');
});

test('only a list by its age is read on', () => {
  expect(goesOn({ ...FIRST, show: 'all' })).toBe(true);
  expect(goesOn({ ...FIRST, show: 'all', text: 'leak' })).toBe(false);
  expect(goesOn(FIRST)).toBe(false);
  expect(isNarrowed({ ...FIRST, district: 'north' })).toBe(true);
});
