// Where does each district's cell stand in the picture? A honeycomb as long as nobody has drawn the city's borders. Pure.

/** Half the width of a cell, in units of the picture. */
export const RADIUS = 84;

export interface Cell {
  x: number;
  y: number;
}

const WIDTH = RADIUS * Math.sqrt(3);
const STEP = RADIUS * 1.5;

/** The middles of `count` cells in rows of at most `across`, every other row half a cell to the right. */
export function honeycomb(count: number, across = Math.max(2, Math.ceil(Math.sqrt(count * 1.6)))): Cell[] {
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / across);
    return { x: WIDTH * ((at % across) + (row % 2 ? 1 : 0.5)), y: RADIUS + STEP * row };
  });
}

export function extent(cells: readonly Cell[]): { width: number; height: number } {
  return { width: Math.max(WIDTH, ...cells.map(({ x }) => x + WIDTH / 2)), height: Math.max(2 * RADIUS, ...cells.map(({ y }) => y + RADIUS)) };
}

/** The corners of a cell, a little apart from its neighbours. */
export function corners({ x, y }: Cell): string {
  return [0, 1, 2, 3, 4, 5].map((at) => {
    const angle = (Math.PI / 3) * at - Math.PI / 2;
    return `${(x + (RADIUS - 3) * Math.cos(angle)).toFixed(1)},${(y + (RADIUS - 3) * Math.sin(angle)).toFixed(1)}`;
  }).join(' ');
}
