// What happened to a call, in one line of time? Steps, queues, offers, what people did and what was recorded, each with its text. Pure.
import type { Shape } from '../../api/client';

type Detail = Shape<'CallDetail'>;

export interface Told {
  at: number;
  /** Id of the text. */
  text: string;
  args: Record<string, string | number>;
  /** The recording that begins here. */
  recording?: number;
}

/** What comes to be at the same moment stands in this order. */
function entries({ call, queue_events, offers, steps, events, recordings, legs }: Detail): Told[] {
  const told: Told[] = [];
  const add = (at: number | null | undefined, text: string, args: Told['args'] = {}, more: Partial<Told> = {}) => {
    if (at !== null && at !== undefined) told.push({ at, text, args, ...more });
  };
  add(call.started_ms, call.called_out_by ? 'told-called-out' : 'told-came-in', { number: call.number ?? '', name: call.called_out_by ?? '' });
  for (const { at_ms, step, key } of steps) add(at_ms, key ? 'told-key' : 'told-step', { step, key: key ?? '' });
  for (const { entered_ms, left_ms, queue, how } of queue_events) {
    add(entered_ms, 'told-queued', { queue });
    if (how) add(left_ms, `told-left-${how}`, { queue });
  }
  for (const { offered_ms, ended_ms, agent, how } of offers) {
    add(offered_ms, 'told-offered', { name: agent });
    if (how) add(ended_ms, `told-offer-${how}`, { name: agent });
  }
  for (const { at_ms, what, agent, name, leg } of events) {
    const ring = /^ring_(\d+)$/.exec(what);
    const who = name ?? legs.find(({ n }) => n === leg)?.name ?? '';
    if (ring) add(at_ms, 'told-ring', { n: Number(ring[1]) + 1 });
    else add(at_ms, `told-${what}`, { agent: agent ?? '', name: who });
  }
  for (const { n, started_ms, agent } of recordings) add(started_ms, 'told-recording', { name: agent ?? '' }, { recording: n });
  add(call.ended_ms, 'told-ended', { how: call.end_reason ?? '' });
  return told;
}

export function story(detail: Detail): Told[] {
  return entries(detail).map((one, n) => ({ one, n })).sort((a, b) => a.one.at - b.one.at || a.n - b.n).map(({ one }) => one);
}
