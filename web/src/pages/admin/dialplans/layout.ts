// Where does each step of a plan stand in its picture? In rows by the way that leads to it, beside the steps that share its way. Pure.

export interface Step { id: string }
export interface Way { from?: string | null; to: string }
export interface Spot { x: number; y: number }
export interface Picture { spots: Map<string, Spot>; width: number; height: number }

/** Sizes in units of the picture. */
export const BOX = { width: 184, height: 52 };
const GAP = { x: 20, y: 56 };
const MARGIN = 12;

export function layout(steps: readonly Step[], ways: readonly Way[], start: string | null | undefined): Picture {
  const rows = ordered(inRows(steps, forward(steps, ways, start)), ways);
  const broadest = Math.max(1, ...rows.map(({ length }) => length));
  const width = broadest * (BOX.width + GAP.x) - GAP.x + 2 * MARGIN;
  const spots = new Map<string, Spot>();
  rows.forEach((row, at) => {
    const left = (width - row.length * (BOX.width + GAP.x) + GAP.x) / 2;
    row.forEach((id, place) => spots.set(id, { x: left + place * (BOX.width + GAP.x), y: MARGIN + at * (BOX.height + GAP.y) }));
  });
  return { spots, width, height: Math.max(1, rows.length) * (BOX.height + GAP.y) - GAP.y + 2 * MARGIN };
}

/** The ways without those that lead back: a plan may go round. */
function forward(steps: readonly Step[], ways: readonly Way[], start: string | null | undefined): [string, string][] {
  const known = new Set(steps.map(({ id }) => id));
  const out = new Map<string, string[]>();
  for (const { from, to } of ways) if (from && known.has(from) && known.has(to)) out.set(from, [...(out.get(from) ?? []), to]);
  const state = new Map<string, 'open' | 'closed'>();
  const found: [string, string][] = [];
  const visit = (id: string) => {
    state.set(id, 'open');
    for (const to of out.get(id) ?? []) {
      if (state.get(to) === 'open') continue;
      found.push([id, to]);
      if (!state.has(to)) visit(to);
    }
    state.set(id, 'closed');
  };
  for (const id of [start ?? '', ...known]) if (known.has(id) && !state.has(id)) visit(id);
  return found;
}

/** Each step below all that lead to it. */
function inRows(steps: readonly Step[], ways: readonly [string, string][]): string[][] {
  const depth = new Map(steps.map(({ id }) => [id, 0]));
  for (let round = 0; round < steps.length; round += 1) {
    let moved = false;
    for (const [from, to] of ways) {
      const wanted = (depth.get(from) ?? 0) + 1;
      if (wanted > (depth.get(to) ?? 0)) {
        depth.set(to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const rows: string[][] = [];
  for (const { id } of steps) (rows[depth.get(id) ?? 0] ??= []).push(id);
  return rows;
}

/** Places so that ways cross little: each step below the middle of those that lead to it. */
function ordered(rows: readonly string[][], ways: readonly Way[]): string[][] {
  const places = new Map<string, number>();
  return rows.map((row) => {
    const middle = (id: string, at: number) => {
      const above = ways.flatMap(({ from, to }) => (to === id && from && places.has(from) ? [places.get(from) ?? 0] : []));
      return above.length ? above.reduce((sum, place) => sum + place, 0) / above.length : at + 1000;
    };
    const sorted = row.map((id, at) => ({ id, at, middle: middle(id, at) })).sort((a, b) => a.middle - b.middle || a.at - b.at).map(({ id }) => id);
    sorted.forEach((id, place) => places.set(id, place - (sorted.length - 1) / 2));
    return sorted;
  });
}

/** The curve of a way, and where its word stands. */
export function curve(from: Spot, to: Spot): { path: string; middle: Spot } {
  const [ax, ay] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [bx, by] = [to.x + BOX.width / 2, to.y];
  const down = by > ay;
  const bend = down ? (by - ay) / 2 : 48;
  // A way back goes round at the side.
  const aside = down ? 0 : BOX.width;
  return {
    path: `M${ax},${ay} C${ax + aside},${ay + bend} ${bx + aside},${by - bend} ${bx},${by}`,
    middle: { x: (ax + bx) / 2 + aside * 0.75, y: (ay + by) / 2 },
  };
}
