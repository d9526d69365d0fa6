// How are moments and durations written? Durations by hand, so that they tick alike everywhere; moments as the language does.
import { texts } from './texts.svelte';

/** 0:48, 12:05, 1:02:03. Never negative. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** 10:02:11 */
export const timeOfDay = (ms: number, seconds = false): string =>
  new Date(ms).toLocaleTimeString(texts.locale, { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}), hourCycle: 'h23' });

/** Months of the languages that some browsers do not know: without them they write "M11 24". */
const MONTHS: Partial<Record<string, readonly string[]>> = {
  'kk-KZ': ['қаң.', 'ақп.', 'нау.', 'сәу.', 'мам.', 'мау.', 'шіл.', 'там.', 'қыр.', 'қаз.', 'қар.', 'жел.'],
};

/** 24 Nov */
export function day(ms: number): string {
  const date = new Date(ms);
  const month = MONTHS[texts.locale]?.[date.getMonth()];
  return month ? `${date.getDate()} ${month}` : date.toLocaleDateString(texts.locale, { day: 'numeric', month: 'short' });
}

/** 24 Nov 2026, 10:02 */
export const moment = (ms: number): string => `${day(ms)} ${new Date(ms).getFullYear()}, ${timeOfDay(ms)}`;

/** 10:02 for today, else 24 Nov, 10:02. */
export function shortMoment(ms: number, now: number): string {
  const same = new Date(ms).toDateString() === new Date(now).toDateString();
  return same ? timeOfDay(ms) : `${day(ms)}, ${timeOfDay(ms)}`;
}

/** 3 d 4 h, 2 h 5 min, 12 min: the two largest parts. */
export function span(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts: [number, string][] = [[days, 'span-days'], [hours, 'span-hours'], [rest, 'span-minutes']];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return texts.say('span-minutes', { n: 0 });
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, id]) => texts.say(id, { n })).join(' ');
}

/** 61 % in the language's way. */
export const percent = (share: number): string => new Intl.NumberFormat(texts.locale, { style: 'percent', maximumFractionDigits: 0 }).format(share);

/** 12 300 in the language's way. */
export const count = (n: number): string => new Intl.NumberFormat(texts.locale).format(n);
