import { expect, test } from 'vitest';

import { extent, honeycomb, RADIUS } from './cells';

test('no two cells stand in one place, and all stand in the picture', () => {
  const cells = honeycomb(11);
  const { width, height } = extent(cells);
  expect(new Set(cells.map(({ x, y }) => `${x},${y}`)).size).toBe(11);
  for (const { x, y } of cells) {
    expect(x - RADIUS * 0.86).toBeGreaterThanOrEqual(-1);
    expect(x).toBeLessThan(width);
    expect(y + RADIUS).toBeLessThanOrEqual(height);
  }
});

test('a city of no districts has a picture of one empty cell', () => {
  expect(honeycomb(0)).toEqual([]);
  expect(extent([]).width).toBeGreaterThan(0);
});
