import { expect, test } from 'vitest';

import { steady } from './steady';

test('nothing jumps while a hand is on the list', () => {
  expect(steady(['a', 'b', 'c'], ['c', 'b', 'd'], true)).toEqual(['b', 'c', 'd']);
});

test('a list that nobody touches stands as it should', () => {
  expect(steady(['a', 'b'], ['b', 'a'], false)).toEqual(['b', 'a']);
});
