// How does a moment stand in a `datetime-local` field, and back? By the clock of whoever sits here. Pure.

export function toField(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Nothing for a field that is empty or unfinished. */
export function fromField(text: string): number | null {
  const ms = new Date(text).getTime();
  return text === '' || Number.isNaN(ms) ? null : ms;
}
