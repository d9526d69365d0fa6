// In which order does a list stand while a hand is on it? In that of before; what is new comes behind, what is gone goes. Pure.

export function steady<Key>(before: readonly Key[], wanted: readonly Key[], held: boolean): Key[] {
  if (!held) return [...wanted];
  const there = new Set(wanted);
  const kept = before.filter((key) => there.has(key));
  const known = new Set(kept);
  return [...kept, ...wanted.filter((key) => !known.has(key))];
}
