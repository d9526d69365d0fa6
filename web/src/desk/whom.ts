// Whom does a typed word mean? Somebody of the board by name, a number by its looks, else a service of the dialplans.
import type { Shape } from '../api/client';
import type { Whom } from './messages';

export type Target = { kind: 'operator'; name: string; state: string } | { kind: 'queue'; name: string; waiting: number };

const ORDER = ['ready', 'wrap_up', 'paused', 'talking', 'offered', 'internal', 'supervising', 'not_responding', 'offline'];

/** Colleagues, those who are free first, then queues. */
export function targets(board: Shape<'BoardView'>, myself: string): Target[] {
  const operators = board.operators.filter(({ operator, state }) => operator !== myself && state !== 'offline');
  const rank = (state: string) => ORDER.indexOf(state) >>> 0;
  return [
    ...operators.map(({ operator, state }) => ({ kind: 'operator' as const, name: operator, state })).sort((one, other) => rank(one.state) - rank(other.state)),
    ...board.queues.map(({ queue, waiting }) => ({ kind: 'queue' as const, name: queue, waiting })),
  ];
}

export function whomOf(typed: string, known: readonly Target[]): Whom | null {
  const text = typed.trim();
  if (!text) return null;
  const target = known.find(({ name }) => name === text);
  if (target) return target.kind === 'operator' ? { operator: target.name } : { queue: target.name };
  if (/^\+?[\d\s()-]{2,24}$/.test(text)) return { number: text.replace(/[\s()-]/g, '') };
  return known.length ? { service: text } : null;
}
