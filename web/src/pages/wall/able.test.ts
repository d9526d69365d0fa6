import { expect, test } from 'vitest';

import { changedLevels, membership } from './able';

test('an order names what is otherwise than the settings, and nothing where all is as they say', () => {
  expect(changedLevels({ kk: 10, lifts: 3 }, { kk: 10, lifts: 7, roads: 0 })).toEqual({ lifts: 7 });
  expect(changedLevels({ kk: 10 }, { kk: 10, roads: 5 })).toEqual({ roads: 5 });
  expect(changedLevels({ kk: 10 }, { kk: 10, roads: 0 })).toEqual({});
  expect(membership({ heating: '', roads: 'yes', lifts: 'no' })).toEqual({ roads: true, lifts: false });
});
