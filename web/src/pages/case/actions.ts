// What may a role do to a case where it stands? The rules of the server, so that no button is offered that it would refuse; it decides again. Pure.
import type { Role, Shape } from '../../api/client';
import type { CaseState } from '../parts/case_states';

export type Wish = Shape<'Wish'>['do'];

export interface Standing {
  state: CaseState;
  organisation: string | null;
}

const OPEN: readonly CaseState[] = ['registered', 'forwarded', 'accepted', 'in_work', 'paused', 'reopened'];
const OVER: readonly CaseState[] = ['done', 'confirmed', 'closed'];
const ASKS: readonly Role[] = ['operator', 'quality', 'supervisor'];

type Rule = (role: Role, at: Standing) => boolean;
const is = (...roles: Role[]) => (role: Role) => roles.includes(role);
const centre = is('operator', 'supervisor');
const executor: Rule = (role, at) => role === 'organisation' && at.organisation !== null;

/** In the order in which they stand on the screen. */
const RULES: readonly [Wish, readonly CaseState[], Rule][] = [
  ['accept', ['forwarded', 'reopened'], executor],
  ['start', ['forwarded', 'accepted', 'reopened'], executor],
  ['finish', OPEN, (role, at) => executor(role, at) || (at.organisation === null && centre(role))],
  ['resume', ['paused'], (role, at) => executor(role, at) || role === 'supervisor'],
  ['pause', ['in_work'], (role, at) => executor(role, at) || role === 'supervisor'],
  ['return', ['forwarded', 'accepted', 'in_work', 'reopened'], executor],
  ['forward', OPEN, (role, at) => role === 'supervisor' || (role === 'operator' && (at.state === 'registered' || at.state === 'reopened'))],
  ['confirm', ['done'], (role) => ASKS.includes(role)],
  ['control_call', ['done'], (role) => ASKS.includes(role)],
  ['reopen', OVER, (role) => ASKS.includes(role)],
  ['close', ['done'], is('quality', 'supervisor')],
  ['note', [...OPEN, ...OVER], (role, at) => executor(role, at) || ASKS.includes(role)],
  ['correct', [...OPEN, ...OVER], (role) => ASKS.includes(role)],
];

export function allowed(role: Role, at: Standing): Wish[] {
  return RULES.filter(([, states, may]) => states.includes(at.state) && may(role, at)).map(([wish]) => wish);
}

/** Taken on, begun, gone on with: at one press, nothing is asked. */
export const AT_ONCE: readonly Wish[] = ['accept', 'start', 'resume'];

/** What may be done without a word. */
export const wantsWords = (wish: Wish, photos: number): boolean => !(AT_ONCE.includes(wish) || wish === 'confirm' || (wish === 'finish' && photos > 0));
