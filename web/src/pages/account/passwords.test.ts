import { expect, test } from 'vitest';

import { faultOf } from './passwords';

test('a new password is long enough, another one, and typed twice alike', () => {
  expect(faultOf('demo-demo', 'short', 'short')).toBe('password-too-short');
  expect(faultOf('demo-demo', 'ж'.repeat(129), 'ж'.repeat(129))).toBe('password-too-long');
  expect(faultOf('demo-demo', 'demo-demo', 'demo-demo')).toBe('password-same');
  expect(faultOf('demo-demo', 'another one', 'anothr one')).toBe('password-differs');
  expect(faultOf('demo-demo', 'another one', 'another one')).toBeNull();
});
