// How does a promise stand at a moment: kept in time, kept late, running, soon due, or broken? Pure.

/** A promise this near its end wants attention. */
export const SOON_MS = 2 * 3_600_000;

export interface Promised {
  due_ms: number;
  kept_ms?: number | null | undefined;
  /** By how much it is or was broken, as the server counted it when it was read. */
  late_ms?: number | null | undefined;
}

export type Standing = { how: 'kept' | 'kept-late' | 'running' | 'soon' | 'broken'; ms: number };

export function standing({ due_ms, kept_ms, late_ms }: Promised, now: number): Standing {
  if (kept_ms != null) return late_ms ? { how: 'kept-late', ms: late_ms } : { how: 'kept', ms: 0 };
  if (now > due_ms) return { how: 'broken', ms: now - due_ms };
  return { how: due_ms - now < SOON_MS ? 'soon' : 'running', ms: due_ms - now };
}

/** What is owed next: taking it on, then doing it; nothing when both are kept. */
export function nextDue(row: { reaction_due_ms: number; reaction_kept_ms?: number | null; resolution_due_ms: number; resolution_kept_ms?: number | null }): number | null {
  if (row.resolution_kept_ms != null) return null;
  return row.reaction_kept_ms == null ? Math.min(row.reaction_due_ms, row.resolution_due_ms) : row.resolution_due_ms;
}
