// Which figures stand on the wall, by which definition? From the board's counts; nothing where nothing was counted. Pure.
import type { Shape } from '../../api/client';

/** Within this an answer is in target, in milliseconds: as the board counts it. */
export const TARGET_MS = 20_000;
/** The share that is aimed at: 80 in 20. */
const GOAL = 0.8;
const LOW = 0.6;

type Counts = Shape<'Counts'>;
export type Verdict = 'good' | 'warn' | 'bad';

/** Service level, strict: answered in target of all who entered the queue. */
export const inTarget = ({ answered_in_target, offered }: Counts): number | null => (offered ? answered_in_target / offered : null);

/** Average speed of answer, in milliseconds. */
export const averageAnswer = ({ waited_ms, answered }: Counts): number | null => (answered ? waited_ms / answered : null);

/** Of all who entered the queue, those who hung up in it. */
export const abandonment = ({ abandoned, offered }: Counts): number | null => (offered ? abandoned / offered : null);

export function levelVerdict(share: number | null): Verdict {
  if (share === null || share >= GOAL) return 'good';
  return share < LOW ? 'bad' : 'warn';
}

export function waitVerdict(waits_ms: number): Verdict {
  if (waits_ms <= TARGET_MS) return 'good';
  return waits_ms > 3 * TARGET_MS ? 'bad' : 'warn';
}
