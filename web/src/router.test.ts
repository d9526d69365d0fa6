import { expect, test } from 'vitest';

import { fits } from './router';

test('a pattern names the parts of a path', () => {
  expect(fits('/case/:number', '/case/109-2026-000001')).toEqual({ number: '109-2026-000001' });
  expect(fits('/', '/')).toEqual({});
  expect(fits('/register', '/register/')).toEqual({});
  expect(fits('/case/:number', '/case')).toBeNull();
  expect(fits('/register', '/case')).toBeNull();
});

test('a part that is no text in percent signs stays as it is', () => {
  expect(fits('/case/:number', '/case/%zz')).toEqual({ number: '%zz' });
  expect(fits('/case/:number', '/case/a%2Fb')).toEqual({ number: 'a/b' });
});
