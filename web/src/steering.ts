// What have supervisors ordered that holds now, and how is an order given? As the server tells it on the board and takes it at /api/orders. Pure but for the asking.
import { api, ask, type Failure, type Shape } from './api/client';

export const MODES = ['open', 'closed', 'draining', 'surge'] as const;
export type Mode = (typeof MODES)[number];

export type ModeInForce = Shape<'ModeInForce'>;
export type AbleToday = Shape<'AbleToday'>;
export type Steering = Shape<'Steering'>;
export type Order = Shape<'SteerOrder'>;

/** What holds, as a board tells it; nothing before there is one. */
export const steering = (board: { steering: Steering } | null): Steering => board?.steering ?? { modes: [], able: [], refused: [] };

/** Gives an order; `until` in milliseconds since the epoch, where it ends. */
export async function give(order: Order, reason: string, until?: number | null): Promise<Failure | null> {
  const { failure } = await ask(api.POST('/api/orders', { body: { order, reason, ...(until ? { until_ms: until } : {}) } }));
  return failure;
}

export type Alert = Shape<'Alert'>;

/** The alarms that are on, the oldest first. */
export const alerts = (board: { alerts: Alert[] } | null): Alert[] =>
  (board?.alerts ?? []).filter(({ ended_ms }) => ended_ms == null).sort((a, b) => a.raised_ms - b.raised_ms);
