// How are a queue's rings typed? Seconds instead of milliseconds, and a level in each. Pure.
import type { Shape } from '../../../api/client';

type Ring = Shape<'QueueRing'>;

export interface RingTyped {
  /** Seconds of waiting. */
  after: number;
  level: number;
  drop: string[];
}

export const typed = (rings: readonly Ring[] | undefined): RingTyped[] => (rings ?? []).map(({ after_ms, level, drop }) => ({ after: after_ms / 1000, level: level ?? 1, drop: [...(drop ?? [])] }));

export const kept = (rings: readonly RingTyped[]): Ring[] =>
  rings.map(({ after, level, drop }) => ({ after_ms: Math.round(after * 1000), ...(level > 1 ? { level } : {}), ...(drop.length ? { drop } : {}) }));

const FIRST: RingTyped = { after: 0, level: 8, drop: [] };
const LATER_S = 20;
const LOWER = 3;

/** A ring that may follow: later, and asking for less. */
export function nextRing(rings: readonly RingTyped[]): RingTyped {
  const last = rings.at(-1);
  return last ? { after: last.after + LATER_S, level: Math.max(1, last.level - LOWER), drop: [...last.drop] } : { ...FIRST };
}
