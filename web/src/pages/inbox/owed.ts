// Which cases does an organisation owe, in which order? What is due next stands first. Pure.
import type { Shape } from '../../api/client';
import { nextDue } from '../parts/promise';

type Row = Shape<'CaseView'>;

/** What is due next first; what is paused is due when its pause has moved it to. */
export function byDeadline(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => (nextDue(a) ?? Infinity) - (nextDue(b) ?? Infinity) || a.id - b.id);
}

export interface Totals {
  toAccept: number;
  late: number;
  today: number;
}

/** What stands above the list: not taken on yet, late, due before a moment. */
export function totals(rows: readonly Row[], now: number, tonight: number): Totals {
  const due = rows.map((row) => nextDue(row) ?? Infinity);
  return {
    toAccept: rows.filter(({ state }) => state === 'forwarded' || state === 'reopened').length,
    late: due.filter((at) => at < now).length,
    today: due.filter((at) => at >= now && at < tonight).length,
  };
}
