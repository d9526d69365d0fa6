// Who works when? The table of shifts over days and half hours, with what supervisors have ordered for today. Times as the city's clocks show them. Pure.
import type { Shape } from '../../api/client';

export type Table = Shape<'ShiftTable'>;
export type Template = Shape<'ShiftTemplate'>;
type Wanted = Shape<'DutyWanted'>;

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const [MINUTE, DAY] = [60_000, 86_400_000];
const DAY_MINUTES = 1440;
export const HALF_HOURS = 48;

/** "08:30" in minutes of the day. */
export function minutes(text: string): number {
  const [hours = 0, rest = 0] = text.split(':').map(Number);
  return hours * 60 + rest;
}

/** A city's moment as if its clocks showed UTC: so that days and minutes are plain sums. */
export function local(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
}

/** The midnight that begins the day of a moment of `local`. */
export const midnight = (at: number): number => Math.floor(at / DAY) * DAY;
export const plusDays = (at: number, days: number): number => at + days * DAY;
/** 0 for Monday. */
export const weekday = (at: number): number => (new Date(at).getUTCDay() + 6) % 7;
export const monday = (at: number): number => plusDays(midnight(at), -weekday(at));

/** A template's span on a day on which it begins; a night's ends after the next midnight. */
export function span({ days, from, to }: Template, day: number): [number, number] | null {
  if (days?.length && !days.includes(DAYS[weekday(day)] ?? '')) return null;
  const [begins, ends] = [minutes(from), minutes(to)];
  return [day + begins * MINUTE, day + (ends > begins ? ends : ends + DAY_MINUTES) * MINUTE];
}

/** The shifts of somebody that begin on a day, by name. */
export function shiftsOn(table: Table, person: string, day: number): { name: string; template: string }[] {
  return Object.entries(table.shifts)
    .filter(([, plan]) => plan.operators.includes(person) && table.templates[plan.template] && span(table.templates[plan.template] as Template, day))
    .map(([name, plan]) => ({ name, template: plan.template }));
}

const goesOn = (table: Table, name: string, at: number): boolean => {
  const template = table.templates[table.shifts[name]?.template ?? ''];
  return !!template && [midnight(at), plusDays(midnight(at), -1)].some((day) => {
    const on = span(template, day);
    return on !== null && on[0] <= at && at < on[1];
  });
};

/** An order that holds: what is wanted of somebody until then, in moments of `local`. */
export interface InForce { wanted: Wanted; until: number }

/** Orders of the list in force at a moment, by person: the newest of each. */
export function inForce(table: Table, now: number, zone: string): Map<string, InForce> {
  const orders = new Map<string, InForce>();
  for (const { agent, wanted, shift, until_ms } of [...table.orders].reverse()) {
    const named = shift ?? '';
    const told: Wanted = wanted === 'home' ? { home: {} } : wanted === 'moved' ? { moved: { to: named } } : wanted === 'on' ? { on: shift ? { shift } : {} } : { table: {} };
    if (until_ms > now) orders.set(agent, { wanted: told, until: local(until_ms, zone) });
    else orders.delete(agent);
  }
  return orders;
}

/** Whether somebody is on shift at a moment; without any shift everybody is whom no order sends home. */
export function isOn(table: Table, person: string, at: number, now: number, orders: ReadonlyMap<string, InForce>): boolean {
  const order = orders.get(person);
  const wanted = order && now <= at && at < order.until ? order.wanted : null;
  if (wanted && 'home' in wanted) return false;
  if (wanted && 'on' in wanted) return true;
  if (wanted && 'moved' in wanted) return goesOn(table, wanted.moved.to, at);
  const all = Object.entries(table.shifts);
  return all.length === 0 || all.some(([name, { operators }]) => operators.includes(person) && goesOn(table, name, at));
}

/** How many are on shift in each half hour of a day. `now` is the half hour from which orders count. */
export function staffed(table: Table, day: number, now: number, orders: ReadonlyMap<string, InForce>): number[] {
  const from = now - (now % (30 * MINUTE));
  return Array.from({ length: HALF_HOURS }, (_, n) => day + n * 30 * MINUTE).map((at) => table.operators.filter(({ operator }) => isOn(table, operator, at, from, orders)).length);
}

/** A template in one to three signs: "day-2" is D2. */
export const letters = (template: string): string => template.split(/[^\p{L}\p{N}]+/u).filter(Boolean).map((word) => word[0]?.toUpperCase()).join('').slice(0, 3);

export interface Effect { from: number; to: number; before: number; after: number }

/** What a change would do to the rest of the day: spans in which somebody more or fewer is there. */
export function effect(before: readonly number[], after: readonly number[], day: number): Effect[] {
  const spans: Effect[] = [];
  after.forEach((there, n) => {
    const was = before[n] ?? 0;
    const last = spans.at(-1);
    const at = day + n * 30 * MINUTE;
    if (there === was) return;
    if (last && last.to === at && last.before === was && last.after === there) last.to = at + 30 * MINUTE;
    else spans.push({ from: at, to: at + 30 * MINUTE, before: was, after: there });
  });
  return spans;
}
