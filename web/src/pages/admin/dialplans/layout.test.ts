import { expect, test } from 'vitest';

import { layout } from './layout';

const steps = (...ids: string[]) => ids.map((id) => ({ id }));

test('each step stands below all that lead to it', () => {
  const { spots } = layout(steps('a', 'b', 'c', 'd'), [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }, { from: 'b', to: 'c' }, { from: 'c', to: 'd' }], 'a');
  const heights = ['a', 'b', 'c', 'd'].map((id) => spots.get(id)?.y ?? -1);
  expect([...heights].sort((one, other) => one - other)).toEqual(heights);
  expect(new Set(heights).size).toBe(4);
});

test('a plan that goes round is drawn, and no two steps stand in one place', () => {
  const { spots, width, height } = layout(steps('a', 'b', 'c'), [{ from: 'a', to: 'b' }, { from: 'b', to: 'a' }, { from: null, to: 'c' }, { from: 'b', to: 'nowhere' }], 'a');
  expect(spots.size).toBe(3);
  expect(new Set([...spots.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(3);
  expect(width).toBeGreaterThan(0);
  expect(height).toBeGreaterThan(0);
});

test('a plan without a step is an empty picture', () => {
  expect(layout([], [], null).spots.size).toBe(0);
});
