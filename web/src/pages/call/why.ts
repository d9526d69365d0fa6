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

type Args = Record<string, string | number>;

/** What else held: what supervisors have ordered; ids of texts with what they want. */
export function besides(why: Moment['why']): [text: string, args: Args][] {
  const told: [string, Args][] = [];
  const { mode, able_today } = why;
  if (mode && mode !== 'open') told.push([`mode-${mode}`, {}]);
  if (able_today?.length) told.push(['why-able-today', { names: able_today.join(', ') }]);
  return told;
}
