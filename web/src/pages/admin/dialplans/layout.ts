// Where does each step of a plan stand in its picture, and how do its ways run? In rows by the way that leads there; a long way has a place in every row that it passes. Pure.

export interface Step { id: string }
export interface Way { from?: string | null; to: string }
export interface Spot { x: number; y: number }
export interface Picture {
  spots: Map<string, Spot>;
  /** The points of a way by `from to`: out of a step, past the rows between, into the other. */
  lines: Map<string, Spot[]>;
  width: number;
  height: number;
}

/** Sizes in units of the picture. */
export const BOX = { width: 184, height: 52 };
const GAP = { x: 20, y: 56 };
/** What a way takes up in a row that it passes. */
const LANE = 16;
const MARGIN = 12;

/** A step, or the place of a way that passes. */
interface Place { id: string; passes: boolean }

export const wayOf = (from: string, to: string): string => `${from} ${to}`;

export function layout(steps: readonly Step[], ways: readonly Way[], start: string | null | undefined): Picture {
  const ahead = forward(steps, ways, start);
  const depth = depths(steps, ahead);
  const rows = ordered(inRows(steps, ahead, depth), legs(ahead, depth));
  const widths = rows.map((row) => row.reduce((sum, place) => sum + breadth(place) + GAP.x, -GAP.x));
  const width = Math.max(1, ...widths) + 2 * MARGIN;
  const spots = new Map<string, Spot>();
  rows.forEach((row, at) => {
    let x = (width - (widths[at] ?? 0)) / 2;
    for (const place of row) {
      spots.set(place.id, { x, y: MARGIN + at * (BOX.height + GAP.y) });
      x += breadth(place) + GAP.x;
    }
  });
  const height = Math.max(1, rows.length) * (BOX.height + GAP.y) - GAP.y + 2 * MARGIN;
  return { spots, lines: lines(ways, depth, spots), width, height };
}

const breadth = ({ passes }: Place) => (passes ? LANE : BOX.width);
const passing = (from: string, to: string, row: number) => `${wayOf(from, to)} ${row}`;

/** The ways without those that lead back: a plan may go round. */
function forward(steps: readonly Step[], ways: readonly Way[], start: string | null | undefined): [string, string][] {
  const known = new Set(steps.map(({ id }) => id));
  const out = new Map<string, Set<string>>();
  for (const { from, to } of ways) if (from && known.has(from) && known.has(to)) out.set(from, (out.get(from) ?? new Set()).add(to));
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
function depths(steps: readonly Step[], ways: readonly [string, string][]): Map<string, number> {
  const depth = new Map(steps.map(({ id }) => [id, 0]));
  for (let moved = true, round = 0; moved && round <= steps.length; round += 1) {
    moved = false;
    for (const [from, to] of ways) {
      const wanted = (depth.get(from) ?? 0) + 1;
      if (wanted <= (depth.get(to) ?? 0)) continue;
      depth.set(to, wanted);
      moved = true;
    }
  }
  return depth;
}

function inRows(steps: readonly Step[], ways: readonly [string, string][], depth: Map<string, number>): Place[][] {
  const rows: Place[][] = [];
  for (const { id } of steps) (rows[depth.get(id) ?? 0] ??= []).push({ id, passes: false });
  for (const [from, to] of ways) {
    for (let row = (depth.get(from) ?? 0) + 1; row < (depth.get(to) ?? 0); row += 1) (rows[row] ??= []).push({ id: passing(from, to, row), passes: true });
  }
  return rows;
}

/** Each way as its parts from row to row. */
function legs(ways: readonly [string, string][], depth: Map<string, number>): [string, string][] {
  return ways.flatMap(([from, to]) => {
    const between = rowsBetween(depth.get(from) ?? 0, depth.get(to) ?? 0).map((row) => passing(from, to, row));
    const all = [from, ...between, to];
    return all.slice(1).map((next, at): [string, string] => [all[at] ?? from, next]);
  });
}

const rowsBetween = (above: number, below: number) => Array.from({ length: Math.max(0, below - above - 1) }, (_, at) => above + 1 + at);

/** Places so that ways cross little: each below the middle of those that lead to it. */
function ordered(rows: readonly Place[][], parts: readonly [string, string][]): Place[][] {
  const above = new Map<string, string[]>();
  for (const [from, to] of parts) above.set(to, [...(above.get(to) ?? []), from]);
  const places = new Map<string, number>();
  return rows.map((row) => {
    const middle = (place: Place, at: number) => {
      const known = (above.get(place.id) ?? []).flatMap((id) => places.get(id) ?? []);
      return known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : at + 1000;
    };
    const sorted = row.map((place, at) => ({ place, at, middle: middle(place, at) })).sort((a, b) => a.middle - b.middle || a.at - b.at).map(({ place }) => place);
    const whole = sorted.reduce((sum, place) => sum + breadth(place) + GAP.x, 0);
    let x = -whole / 2;
    for (const place of sorted) {
      places.set(place.id, x + breadth(place) / 2);
      x += breadth(place) + GAP.x;
    }
    return sorted;
  });
}

function lines(ways: readonly Way[], depth: Map<string, number>, spots: Map<string, Spot>): Map<string, Spot[]> {
  const found = new Map<string, Spot[]>();
  for (const { from, to } of ways) {
    const [a, b] = [spots.get(from ?? ''), spots.get(to)];
    if (!from || !a || !b) continue;
    const between = rowsBetween(depth.get(from) ?? 0, depth.get(to) ?? 0).flatMap((row) => spots.get(passing(from, to, row)) ?? []);
    const past = between.flatMap(({ x, y }) => [{ x: x + LANE / 2, y }, { x: x + LANE / 2, y: y + BOX.height }]);
    found.set(wayOf(from, to), [{ x: a.x + BOX.width / 2, y: a.y + BOX.height }, ...past, { x: b.x + BOX.width / 2, y: b.y }]);
  }
  return found;
}

/** The curve through the points of a way, and where its word stands: in the first gap. */
export function curve(points: readonly Spot[]): { path: string; word: Spot } {
  const [first = { x: 0, y: 0 }, second = first] = points;
  // A way back goes round at the side.
  if (second.y <= first.y) {
    const aside = BOX.width * 0.75;
    return { path: `M${first.x},${first.y} C${first.x + aside},${first.y + 48} ${second.x + aside},${second.y - 48} ${second.x},${second.y}`, word: { x: first.x + aside * 0.75, y: (first.y + second.y) / 2 } };
  }
  const path = points.slice(1).reduce((drawn, to, at) => {
    const from = points[at] ?? to;
    const bend = (to.y - from.y) / 2;
    return `${drawn} C${from.x},${from.y + bend} ${to.x},${to.y - bend} ${to.x},${to.y}`;
  }, `M${first.x},${first.y}`);
  return { path, word: { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 } };
}

/** Words side by side that would cover each other stand one below the other. */
export function apart<Drawn extends { said: string; word: Spot }>(ways: readonly Drawn[]): Drawn[] {
  const LETTER = 7.5;
  const LINE = 17;
  const stood: { left: number; right: number; y: number }[] = [];
  return [...ways].sort((a, b) => a.word.y - b.word.y || a.word.x - b.word.x).map((way) => {
    if (!way.said) return way;
    const half = (way.said.length * LETTER) / 2 + 4;
    const [left, right] = [way.word.x - half, way.word.x + half];
    let y = way.word.y;
    while (stood.some((other) => Math.abs(other.y - y) < LINE && other.left < right && left < other.right)) y += LINE;
    stood.push({ left, right, y });
    return { ...way, word: { x: way.word.x, y } };
  });
}
