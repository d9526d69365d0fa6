import { expect, test } from 'vitest';

import { report } from './report';

test('a registration holds what was said, where, and by whom', () => {
  const words = JSON.stringify({ text: 'No heating', address: { street: 'Abai', house: '12', flat: '40' }, resident: { name: 'A.', number: null } });
  expect(report(words)).toEqual({ text: 'No heating', address: 'Abai, 12, 40', resident: 'A.' });
  expect(report(JSON.stringify({ text: 'No heating' }))).toEqual({ text: 'No heating', address: '', resident: '' });
});

test('words that are no registration stay as they are', () => {
  expect(report('{ not closed').text).toBe('{ not closed');
  expect(report('by phone').text).toBe('by phone');
});
