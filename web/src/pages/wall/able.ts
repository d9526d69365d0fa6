// What does an order about somebody's skills say? Only what is otherwise than the settings: it takes the place of the order before it. Pure.

/** As the shift has it, in any case, or in none. */
export type Membership = '' | 'yes' | 'no';

type Levels = Record<string, number>;

export const changedLevels = (settled: Levels, wanted: Levels): Levels =>
  Object.fromEntries(Object.entries(wanted).filter(([skill, level]) => level !== (settled[skill] ?? 0)));

export const membership = (member: Record<string, Membership>): Record<string, boolean> =>
  Object.fromEntries(Object.entries(member).filter(([, way]) => way !== '').map(([queue, way]) => [queue, way === 'yes']));
