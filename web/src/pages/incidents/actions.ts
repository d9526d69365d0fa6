// What may a role do to an incident where it stands? As the server's rules say; it decides again. Pure.
import type { Role, Shape } from '../../api/client';

export type IncidentWish = Shape<'IncidentWish'>['do'];
type Stands = Shape<'IncidentState'>;

/** A supervisor decides; the owner says what callers hear and that it is over. What an organisation sees is its own. */
const RULES: readonly [IncidentWish, readonly Stands[], readonly Role[]][] = [
  ['confirm', ['proposed'], ['supervisor']],
  ['dismiss', ['proposed'], ['supervisor']],
  ['fix', ['confirmed'], ['supervisor', 'organisation']],
  ['reword', ['confirmed'], ['supervisor', 'organisation']],
];

export const allowed = (role: Role, state: Stands): IncidentWish[] =>
  RULES.filter(([, states, roles]) => states.includes(state) && roles.includes(role)).map(([wish]) => wish);

export const mayPart = (role: Role, state: Stands): boolean => role === 'supervisor' && (state === 'proposed' || state === 'confirmed');
