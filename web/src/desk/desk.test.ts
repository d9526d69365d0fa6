import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Desk } from './desk.svelte';
import type { ToPage } from './messages';
import type { Wire } from './socket';

class FakeWire implements Wire {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: { type: string }[] = [];
  event = 0;
  send(text: string) { this.sent.push(JSON.parse(text) as { type: string }); }
  close() {}
  say(message: ToPage) { this.onmessage?.({ data: JSON.stringify({ event: ++this.event, ...message }) }); }
}

const WELCOME: ToPage = { type: 'welcome', operator: 'me', generation: 1, pause_reasons: ['lunch'], now_ms: 1_000_000 };
const offer = (call: number, more: object = {}): ToPage => ({
  type: 'offer', call, queue: 'heating', language: 'kk', topic: 'heating', waited_ms: 4000, rings_ms: 15_000, ringing: true, auto_answer: false,
  why: { rule: 'LongestIdle', needed: [], verdicts: [] }, ...more,
});
const state = (doing: string, call: number | null = null): ToPage => ({ type: 'state', state: doing, reason: null, call, since_ms: 1_000_000 }) as ToPage;

let wires: FakeWire[];
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  desk = new Desk(() => { const wire = new FakeWire(); wires.push(wire); return wire; });
  desk.useTelephone(true);
  desk.begin();
  wires[0]?.say(WELCOME);
});
afterEach(() => { desk.end(); vi.useRealTimers(); });

const types = (at: number) => wires[at]?.sent.map(({ type }) => type);

test('a call from its offer to the end of wrap-up', () => {
  wires[0]?.say(offer(7));
  expect(desk.call).toMatchObject({ id: 7, rings: true, waitedMs: 4000 });
  desk.accept();
  expect(types(0)).toEqual(['accept']);
  wires[0]?.say({ type: 'call_state', call: 7, state: 'connected' });
  wires[0]?.say(state('talking', 7));
  expect(desk.talks).toBe(true);
  wires[0]?.say({ type: 'call_state', call: 7, state: 'held' });
  expect(desk.call?.held).toBe(true);
  wires[0]?.say({ type: 'call_state', call: 7, state: 'resumed' });
  expect(desk.call?.held).toBe(false);
  wires[0]?.say(state('wrap_up'));
  expect(desk.call?.ended).toBe(true);
  wires[0]?.say(state('ready'));
  expect(desk.call).toBeNull();
});

test('what is said of another call changes nothing', () => {
  wires[0]?.say(offer(7));
  wires[0]?.say({ type: 'call_state', call: 8, state: 'ended' });
  wires[0]?.say({ type: 'offer_gone', call: 8 });
  expect(desk.call).toMatchObject({ id: 7, rings: true, ended: false });
});

test('a reload shows the talk again, with what is known of it', () => {
  wires[0]?.say(state('talking', 7));
  wires[0]?.say(offer(7, { ringing: false }));
  expect(desk.talks).toBe(true);
  wires[0]?.say({ type: 'call_state', call: 7, state: 'held' });
  wires[0]?.say(offer(7, { ringing: false }));
  expect(desk.call?.held).toBe(true);
});

test('a wish without a line waits in sight and is told when the line is back', () => {
  wires[0]?.say(offer(7, { ringing: false }));
  wires[0]?.onclose?.();
  expect(desk.link).toBe('lost');
  desk.wish({ type: 'hold', call: 7 });
  expect(desk.waiting.map(({ wish }) => wish.type)).toEqual(['hold']);
  vi.advanceTimersByTime(400);
  wires[1]?.say(WELCOME);
  expect(types(1)).toEqual(['hold']);
  expect(desk.waiting).toEqual([]);
});

test('a refusal that may pass can be tried again', () => {
  desk.wish({ type: 'ready' });
  wires[0]?.say({ type: 'refused', what: 'the server is overloaded', mend: 'Try again.' });
  expect(desk.refused?.wish).toEqual({ type: 'ready' });
  wires[0]?.say({ type: 'refused', what: 'whoever you asked for is not free', mend: 'Ask somebody else.' });
  expect(desk.refused?.wish).toBeNull();
});

test('help, warning and a paused recording belong to the call', () => {
  wires[0]?.say(offer(7, { ringing: false }));
  wires[0]?.say({ type: 'call_state', call: 7, state: 'help_asked' });
  wires[0]?.say({ type: 'recording', call: 7, paused: true });
  wires[0]?.say({ type: 'call_state', call: 7, state: 'warned' });
  expect(desk.call).toMatchObject({ helpAsked: true, warned: true });
  expect(desk.call?.recordingPausedAt).not.toBeNull();
  wires[0]?.say({ type: 'recording', call: 7, paused: false });
  expect(desk.call?.recordingPausedAt).toBeNull();
});
