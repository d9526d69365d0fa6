// Which cases does the register show? A view as an address says it and as the server is asked. Pure.
import type { Shape } from '../../api/client';

export const SHOWS = ['overdue', 'open', 'all'] as const;
export type Show = (typeof SHOWS)[number];

const NARROWINGS = ['text', 'state', 'organisation', 'topic', 'district'] as const;
export type Narrowing = (typeof NARROWINGS)[number];
export type View = { show: Show } & Record<Narrowing, string>;

type Filter = Shape<'CaseFilter'>;

/** What the register opens on: what is late, worst first. */
export const FIRST: View = { show: 'overdue', text: '', state: '', organisation: '', topic: '', district: '' };

export function fromQuery(query: URLSearchParams): View {
  const view = { ...FIRST };
  view.show = SHOWS.find((show) => show === query.get('show')) ?? FIRST.show;
  for (const name of NARROWINGS) view[name] = query.get(name) ?? '';
  return view;
}

export function toAddress(view: View): string {
  const query = new URLSearchParams();
  if (view.show !== FIRST.show) query.set('show', view.show);
  for (const name of NARROWINGS) if (view[name].trim()) query.set(name, view[name].trim());
  const text = query.toString();
  return text ? `/register?${text}` : '/register';
}

export function toFilter(view: View): { [Name in keyof Filter]?: NonNullable<Filter[Name]> } {
  const filter: ReturnType<typeof toFilter> = {};
  if (view.show === 'overdue') filter.overdue = true;
  if (view.show === 'open') filter.open = true;
  for (const name of NARROWINGS) if (view[name].trim()) filter[name] = view[name].trim();
  return filter;
}

export function fromFilter(filter: Filter): View {
  const view = { ...FIRST, show: (filter.overdue ? 'overdue' : filter.open ? 'open' : 'all') as Show };
  for (const name of NARROWINGS) view[name] = filter[name] ?? '';
  return view;
}

/** Whether something beside the three lists narrows it. */
export const isNarrowed = (view: View): boolean => NARROWINGS.some((name) => view[name].trim() !== '');

/** What is late and what was searched has an order of its own; the rest is read on, newest first. */
export const goesOn = (view: View): boolean => view.show !== 'overdue' && view.text.trim() === '';
