import { expect, test } from 'vitest';

import { apart, BOX, layout, wayOf } from './layout';

const steps = (...ids: string[]) => ids.map((id) => ({ id }));

test('each step stands below all that lead to it', () => {
  const { spots } = layout(steps('a', 'b', 'c', 'd'), [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }, { from: 'b', to: 'c' }, { from: 'c', to: 'd' }], 'a');
  const heights = ['a', 'b', 'c', 'd'].map((id) => spots.get(id)?.y ?? -1);
  expect([...heights].sort((one, other) => one - other)).toEqual(heights);
  expect(new Set(heights).size).toBe(4);
});

test('a long way passes beside the steps of the rows between', () => {
  const { spots, lines } = layout(steps('a', 'b', 'c'), [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }, { from: 'a', to: 'c' }], 'a');
  const passed = (lines.get(wayOf('a', 'c')) ?? [])[1];
  const box = spots.get('b') ?? { x: 0, y: 0 };
  expect(passed?.y).toBe(box.y);
  expect((passed?.x ?? 0) < box.x || (passed?.x ?? 0) > box.x + BOX.width).toBe(true);
});

test('a plan that goes round is drawn, and no two steps stand in one place', () => {
  const { spots, lines, width, height } = layout(steps('a', 'b', 'c'), [{ from: 'a', to: 'b' }, { from: 'b', to: 'a' }, { from: null, to: 'c' }, { from: 'b', to: 'nowhere' }], 'a');
  const own = ['a', 'b', 'c'].map((id) => spots.get(id));
  expect(new Set(own.map((spot) => `${spot?.x},${spot?.y}`)).size).toBe(3);
  expect([...lines.keys()].sort()).toEqual([wayOf('a', 'b'), wayOf('b', 'a')]);
  expect(width).toBeGreaterThan(0);
  expect(height).toBeGreaterThan(0);
});

test('a plan without a step is an empty picture', () => {
  expect(layout([], [], null).spots.size).toBe(0);
});

test('words do not cover each other', () => {
  const [one, other] = apart([{ said: 'too full', word: { x: 10, y: 5 } }, { said: 'closed', word: { x: 20, y: 5 } }]);
  expect(Math.abs((one?.word.y ?? 0) - (other?.word.y ?? 0))).toBeGreaterThanOrEqual(17);
});
