// Who is on shift, in which order, and how many are in each state? Pure.
import type { Shape } from '../../api/client';

type Person = Shape<'OperatorView'>;

/** Those on shift, the longest in their state first. */
export function onShift(people: readonly Person[]): Person[] {
  return people.filter(({ state }) => state !== 'offline').sort((a, b) => a.since_ms - b.since_ms || a.operator.localeCompare(b.operator));
}

/** How many are in each state, in an order that stays. */
export function byState(people: readonly Person[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { state } of people) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

const BEST = 10;

/** What somebody can do, the best first; the level stands where it is not the best. */
export function skilled(skills: Readonly<Record<string, number>>, named: (skill: string) => string): string {
  const known = Object.entries(skills).filter(([, level]) => level > 0).sort(([a, one], [b, other]) => other - one || a.localeCompare(b));
  return known.map(([skill, level]) => (level === BEST ? named(skill) : `${named(skill)} ${level}`)).join(' · ');
}
