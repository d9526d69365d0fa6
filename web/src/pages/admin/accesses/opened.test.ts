import { expect, test } from 'vitest';

import { opened } from './opened';

test('what the server writes is said in words, and a number stays a number', () => {
  expect(opened('call 12')).toEqual(['call-n', { n: '12' }]);
  expect(opened('call 12 recording 1')).toEqual(['opened-recording', { n: '12', part: '1' }]);
  expect(opened(`109-2026-000123 ${'ab'.repeat(32)}`)).toEqual(['opened-file', { number: '109-2026-000123' }]);
  expect(opened(`incident:7 ${'ab'.repeat(32)}`)).toEqual(['opened-incident-file', { n: '7' }]);
  expect(opened('account nina unlocked')).toEqual(['opened-account-unlocked', { name: 'nina' }]);
  expect(opened('109-2026-000123')).toBeNull();
  expect(opened('something of a newer server')).toBeNull();
});
