// Which figure is well, and which is worse than what is wanted? By the targets that the server tells with each queue. Pure.
import type { Shape } from '../../api/client';

export type Figures = Shape<'Figures'>;
export type Targets = Shape<'Targets'>;
export type Queue = Shape<'QueueView'>;
export type Verdict = 'good' | 'warn' | 'bad';

/** All of something: shares are told in hundredths of a percent. */
const WHOLE = 10_000;
/** So much worse than wanted is bad, and not only a warning: three times too long or too many, three quarters of the level. */
const BAD_TIMES = 3;
const BAD_LEVEL = 0.75;

/** A share as a number between 0 and 1. */
export const part = (share: number | null | undefined): number | null => (share === null || share === undefined ? null : share / WHOLE);

export function levelVerdict(level: number | null | undefined, { level_percent }: Targets): Verdict {
  const aim = level_percent * 100;
  if (level === null || level === undefined || level >= aim) return 'good';
  return level < aim * BAD_LEVEL ? 'bad' : 'warn';
}

/** More than what is wanted, of what may be more: times, people. */
function over(value: number, most: number): Verdict {
  if (value <= most) return 'good';
  return value > BAD_TIMES * most ? 'bad' : 'warn';
}

export const longestVerdict = (waits_ms: number, { longest_ms }: Targets): Verdict => over(waits_ms, longest_ms);

/** 0 stands for any number. */
export const waitingVerdict = (waiting: number, { waiting: most }: Targets): Verdict => (most === 0 ? 'good' : over(waiting, most));

export const abandonmentVerdict = (share: number | null | undefined, { abandoned_percent }: Targets): Verdict =>
  share === null || share === undefined ? 'good' : over(share, abandoned_percent * 100);

/** Which calls stand behind a figure. */
export type Behind = 'waiting' | 'longest' | 'level' | 'answer' | 'abandoned' | 'entered';
type Call = Shape<'BehindView'>;

const CALLS: Record<Behind, (call: Call) => boolean> = {
  waiting: ({ outcome }) => outcome === 'waiting',
  longest: ({ outcome }) => outcome === 'waiting',
  // What missed the target is what one looks for: it comes first.
  level: ({ outcome, in_target }) => outcome !== 'waiting' || !in_target,
  answer: ({ outcome }) => outcome === 'answered',
  abandoned: ({ outcome }) => outcome === 'abandoned',
  entered: () => true,
};

export function callsBehind(calls: readonly Call[], figure: Behind): Call[] {
  const found = calls.filter(CALLS[figure]);
  const met = ({ outcome, in_target }: Call) => outcome === 'answered' && in_target;
  return figure === 'level' ? [...found.filter((call) => !met(call)), ...found.filter(met)] : found;
}

export interface Bar { x: number; entered: number; ended: number; met: number }

/** The strip's bars within a height, each as high as its share of the highest. */
export function bars(strip: readonly Shape<'StripView'>[], height: number): Bar[] {
  const most = Math.max(1, ...strip.flatMap(({ entered, ended }) => [entered, ended]));
  const high = (n: number) => Math.round((n / most) * height * 10) / 10;
  return strip.map(({ entered, ended, in_target }, x) => ({ x, entered: high(entered), ended: high(ended), met: high(in_target) }));
}
