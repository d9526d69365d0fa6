// Which station of its way has a case come to, and when? Pure.
import type { Shape } from '../../api/client';

export const STATIONS = ['registered', 'sent', 'being_done', 'done'] as const;
export type Station = (typeof STATIONS)[number];

type Status = Pick<Shape<'CaseStatus'>, 'station' | 'registered_ms' | 'sent_ms' | 'begun_ms' | 'done_ms'>;

export interface Stop {
  station: Station;
  at_ms: number | null;
  /** Behind it, at it, or before it. */
  how: 'past' | 'here' | 'ahead';
}

/** A case that was reopened is under way again: what lies ahead of it has no date. */
export function stops(status: Status): Stop[] {
  const times = [status.registered_ms, status.sent_ms, status.begun_ms, status.done_ms];
  const here = STATIONS.findIndex((station) => station === status.station);
  return STATIONS.map((station, at) => ({ station, at_ms: at <= here ? times[at] ?? null : null, how: at < here ? 'past' : at === here ? 'here' : 'ahead' }));
}
