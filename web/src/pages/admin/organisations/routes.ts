// In which order do routing rules stand while they are edited? Pure.

/** Puts a row one place up or down; at the ends it stays. */
export function moved<Row>(rows: readonly Row[], at: number, by: -1 | 1): Row[] {
  const next = [...rows];
  const [row] = next.splice(at, 1);
  if (row === undefined) return next;
  next.splice(Math.min(Math.max(at + by, 0), next.length), 0, row);
  return next;
}
