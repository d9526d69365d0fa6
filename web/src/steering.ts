// What have supervisors ordered that holds now, and how is an order given? As the server tells it on the board and takes it at /api/orders. Pure but for the asking.
import { api, ask, type Failure } from './api/client';

export const MODES = ['open', 'closed', 'draining', 'surge'] as const;
export type Mode = (typeof MODES)[number];

export interface Evacuation { by: string; reason: string; since_ms: number }
export interface ModeInForce { queue: string; mode: Mode; by?: string | null; reason?: string | null; since_ms: number; until_ms?: number | null }
export interface AbleToday { operator: string; levels: Record<string, number>; queues: Record<string, boolean>; by: string; reason: string; until_ms?: number | null }
export interface Steering { evacuation?: Evacuation | null; modes: ModeInForce[]; able: AbleToday[] }

export type Order =
  | { kind: 'state'; operator: string; to: 'ready' | 'pause' | 'signed_out'; pause?: string }
  | { kind: 'able'; operator: string; levels: Record<string, number>; queues: Record<string, boolean> }
  | { kind: 'mode'; queue: string; mode: Mode }
  | { kind: 'evacuation'; on: boolean };

/** What holds, as a board tells it; nothing on one that does not. */
export const steering = (board: object | null): Steering => (board as { steering?: Steering } | null)?.steering ?? { modes: [], able: [] };

/** Gives an order; `until` in milliseconds since the epoch, where it ends. */
export async function give(order: Order, reason: string, until?: number | null): Promise<Failure | null> {
  const post = api.POST as unknown as (path: string, init: { body: object }) => Promise<{ response: Response; error?: unknown }>;
  const { failure } = await ask(post('/api/orders', { body: { order, reason, ...(until ? { until_ms: until } : {}) } }));
  return failure;
}

export interface Alert { id: number | string; kind: string; queue?: string | null; raised_ms: number; ended_ms?: number | null }

/** The alarms that are on, as a board tells them. */
export const alerts = (board: object | null): Alert[] => ((board as { alerts?: Alert[] } | null)?.alerts ?? []).filter(({ ended_ms }) => ended_ms == null);
