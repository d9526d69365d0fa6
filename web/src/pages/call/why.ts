// Who could have taken a call at a moment of its waiting, and who could not? Pure.
import type { Shape } from '../../api/client';

export type Moment = Shape<'CallMoment'>;
type Verdicts = Moment['why']['verdicts'];

const isAble = ([, verdict]: Verdicts[number]) => 'Chosen' in verdict || 'Eligible' in verdict;

export const able = ({ verdicts }: Moment['why']): Verdicts => verdicts.filter(isAble);
export const unable = ({ verdicts }: Moment['why']): Verdicts => verdicts.filter((one) => !isAble(one));

/** For how long what a moment says held: until the next one; the last one goes on, or was the offer that was taken. */
export const heldFor = (moments: readonly Moment[], n: number): number | null => {
  const [one, next] = [moments[n], moments[n + 1]];
  return one && next ? next.at_ms - one.at_ms : null;
};
