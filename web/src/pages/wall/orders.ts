// Orders of both kinds in one list: those about what holds now, and those about shifts. Pure.
import type { Shape } from '../../api/client';
import type { Order } from '../../steering';

type Steered = Shape<'OrderOnRecord'>;
type Shifted = Shape<'ShiftOrder'>;

export interface Given {
  id: string;
  kind: string;
  /** The operator or the queue; nothing: everybody. */
  target: string;
  /** What was ordered, or of somebody's shift. */
  order?: Order;
  shift?: Shifted;
  at_ms: number;
  until_ms?: number | null | undefined;
  by_name: string;
  reason: string;
  refused?: string | null | undefined;
}

/** The newest first. */
export function given(orders: readonly Steered[], shifts: readonly Shifted[]): Given[] {
  const steered = orders.map(({ what, ...row }, n): Given => ({ ...row, id: `order ${row.at_ms} ${row.target} ${orders.length - n}`, order: JSON.parse(what) as Order }));
  const shifted = shifts.map((row, n): Given => ({ ...row, id: `shift ${row.at_ms} ${row.agent} ${shifts.length - n}`, kind: 'shift', target: row.agent, shift: row }));
  return [...steered, ...shifted].sort((a, b) => b.at_ms - a.at_ms);
}
