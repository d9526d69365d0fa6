// How are opening hours typed and read? A line a special day, spans between commas. Pure.

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const parts = (text: string) => text.split(',').map((span) => span.trim()).filter(Boolean);

/** "2026-12-16: closed all day" is written as a day with nothing behind it. */
export const written = (special: Record<string, readonly string[]>): string =>
  Object.entries(special).map(([date, open]) => `${date}: ${open.join(', ')}`.trim()).join('\n');

/** What the server keeps; what is wrong with a span, it says. */
export function spans(week: Record<string, string>, special: string): { week: Record<string, string[]>; special: Record<string, string[]> } {
  const open = DAYS.flatMap((day) => {
    const named = parts(week[day] ?? '');
    return named.length ? [[day, named] as const] : [];
  });
  const days = special.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => {
    const [date = '', ...rest] = line.split(':');
    return [date.trim(), parts(rest.join(':'))] as const;
  });
  return { week: Object.fromEntries(open), special: Object.fromEntries(days) };
}
