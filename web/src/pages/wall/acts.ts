// What can a supervisor do about a person, and when? Pure.
import type { Shape } from '../../api/client';

type Person = Shape<'OperatorView'>;

export const TALK_ACTS = ['monitor', 'whisper', 'barge', 'take_over'] as const;
export type TalkAct = (typeof TALK_ACTS)[number];
export type Act = TalkAct | 'shift' | 'state' | 'able';

/** Talks are for those who have a desk to hear them at; nobody listens to themselves. */
/** `orders`: whether the server takes orders about states and skills. */
export function actsOn(person: Person, me: { name: string; has_desk: boolean }, orders: boolean): Act[] {
  const talks = person.state === 'talking' && me.has_desk && person.operator !== me.name;
  return [...(talks ? TALK_ACTS : []), 'shift', ...(orders ? (['state', 'able'] as const) : [])];
}

export const isTalkAct = (act: Act): act is TalkAct => TALK_ACTS.some((one) => one === act);

/** What can be wanted of somebody's shift, as the server takes it. */
export type DutyWanted = Shape<'DutyWanted'>;

/** Each choice with the text that names it; shifts by name. */
export function duties(shifts: readonly string[]): { id: string; text: string; name?: string; wanted: DutyWanted }[] {
  return [
    { id: 'on', text: 'duty-on', wanted: { on: {} } },
    ...shifts.map((name) => ({ id: `on ${name}`, text: 'duty-on-shift', name, wanted: { on: { shift: name } } })),
    ...shifts.map((name) => ({ id: `moved ${name}`, text: 'duty-moved', name, wanted: { moved: { to: name } } })),
    { id: 'home', text: 'duty-home', wanted: { home: {} } },
    { id: 'table', text: 'duty-table', wanted: { table: {} } },
  ];
}
