// What do the page and the server say to each other on the desk's socket? As the server's document has it.
import type { Shape } from '../api/client';

export type CallId = Shape<'CallId'>;
export type Language = Shape<'Language'>;
export type Whom = Shape<'Whom'>;
export type Doing = Shape<'Doing'>;
/** How a supervisor takes part in a talk. */
export type Supervision = Shape<'Supervision'>;
export type CallNow = Shape<'CallNow'>;
export type Explanation = Shape<'Explanation'>;
export type Verdict = Explanation['verdicts'][number][1];
export type SpeaksBy = Shape<'SpeaksBy'>;
export type Story = Shape<'Story'>;
export type Day = Shape<'DayView'>;
export type Draft = Shape<'Draft'>;

export type FromPage = Shape<'FromPage'>;
/** What keeps the line, and is no wish of a person. */
type Keeping = 'hello' | 'echo' | 'sound' | 'write_case';
/** What a person wants; the server decides. */
export type Wish = Exclude<FromPage, { type: Keeping }>;

export type ToPage = Shape<'ToPage'>;
export type Offer = Extract<ToPage, { type: 'offer' }>;
/** A message with its number; boards have none. */
export type Frame = ToPage & { event?: number };
