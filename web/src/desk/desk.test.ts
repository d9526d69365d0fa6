import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { session } from '../session.svelte';
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

const WELCOME: ToPage = { type: 'welcome', operator: 'me', generation: 1, pause_reasons: ['lunch'], speaks_by: 'telephone', now_ms: 1_000_000 };
const offer = (call: number, more: object = {}): ToPage => ({
  type: 'offer', call, queue: 'heating', language: 'kk', topic: 'heating', waited_ms: 4000, rings_ms: 15_000, ringing: true, auto_answer: false,
  why: { rule: 'LongestIdle', needed: [], verdicts: [] }, ...more,
});
const state = (doing: string, call: number | null = null): ToPage => ({ type: 'state', state: doing, reason: null, call, since_ms: 1_000_000 }) as ToPage;

let wires: FakeWire[];
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sessionStorage.clear();
  vi.stubGlobal('navigator', {});
  wires = [];
  desk = new Desk(() => { const wire = new FakeWire(); wires.push(wire); return wire; });
  desk.begin();
  wires[0]?.say(WELCOME);
});
afterEach(() => { desk.end(); vi.useRealTimers(); vi.unstubAllGlobals(); });

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

test('the server tells by what its operator speaks; a telephone needs no sound here', () => {
  expect([desk.byTelephone, desk.byPage]).toEqual([true, false]);
  void desk.ready();
  expect(types(0)).toEqual(['ready']);
  wires[0]?.say({ ...WELCOME, speaks_by: 'page' } as ToPage);
  expect([desk.byTelephone, desk.byPage]).toEqual([false, true]);
});

test('ready that is pressed before the server has told is said once it has', () => {
  const wire = new FakeWire();
  const other = new Desk(() => wire);
  other.begin();
  wire.onopen?.();
  void other.ready();
  expect([other.speaksBy, other.phone, other.waiting.length]).toEqual([null, 'off', 0]);
  wire.say(WELCOME);
  expect(wire.sent.map(({ type }) => type)).toContain('ready');
});

test.each([
  ['offered', false, true], ['talking', false, true], ['internal', false, true], ['supervising', false, true],
  ['ready', false, false], ['ready', true, true], ['wrap_up', false, false], ['wrap_up', true, true], ['not_responding', false, false], ['not_responding', true, true],
  ['paused', true, false], ['offline', true, false],
])('a tab that finds its operator %s, with sound before: %s, connects the sound: %s', async (doing, before, connects) => {
  if (before) localStorage.setItem('sound-was-on me', 'yes');
  const begin = vi.spyOn(desk.softphone, 'begin').mockResolvedValue(true);
  wires[0]?.say({ ...WELCOME, speaks_by: 'page' } as ToPage);
  wires[0]?.say(state(doing));
  await vi.advanceTimersByTimeAsync(0);
  expect(begin.mock.calls.length > 0).toBe(connects);
});

test('the end of the shift forgets that the sound was on', () => {
  localStorage.setItem('sound-was-on me', 'yes');
  localStorage.setItem('sound-was-on other', 'yes');
  desk.signOut();
  expect([localStorage.getItem('sound-was-on me'), localStorage.getItem('sound-was-on other')]).toEqual([null, 'yes']);
});

test('a wish sent into a network that has died is in sight, and told again on the next wire', () => {
  wires[0]?.say(offer(7, { ringing: false }));
  desk.wish({ type: 'hang_up', call: 7 });
  vi.advanceTimersByTime(8000);
  expect([desk.link, desk.waiting.map(({ wish }) => wish.type)]).toEqual(['lost', ['hang_up']]);
  vi.advanceTimersByTime(300);
  wires[1]?.say(WELCOME);
  expect(types(1)).toEqual(['hang_up']);
  expect(desk.waiting).toEqual([]);
});

test('a wish is told once where the server has spoken since, and where it only says welcome again', () => {
  desk.wish({ type: 'ready' });
  wires[0]?.say(WELCOME);
  expect(types(0)).toEqual(['ready']);
  vi.advanceTimersByTime(1500);
  wires[0]?.say(state('ready'));
  wires[0]?.onclose?.();
  vi.advanceTimersByTime(400);
  wires[1]?.say(WELCOME);
  expect(types(1)).toEqual([]);
});

test('what one operator wanted does not go out under the next one', () => {
  wires[0]?.onclose?.();
  desk.wish({ type: 'pause', reason: 'lunch' });
  desk.end();
  expect(desk.waiting).toEqual([]);
  desk.begin();
  wires[1]?.say({ ...WELCOME, operator: 'other' } as ToPage);
  expect(types(1)).toEqual([]);
});

test('mute outlives a reload in its call, and not the call', () => {
  wires[0]?.say(state('talking', 7));
  wires[0]?.say(offer(7, { ringing: false }));
  desk.mute(true);
  const wire = new FakeWire();
  const reloaded = new Desk(() => wire);
  reloaded.begin();
  wire.say(WELCOME);
  wire.say(state('talking', 7));
  expect(reloaded.muted).toBe(true);
  wire.say(state('wrap_up'));
  expect([reloaded.muted, sessionStorage.getItem('muted')]).toEqual([false, null]);
});

test('a refusal of an offer of sound that was made anew is not shown', () => {
  const refused = vi.spyOn(desk.softphone, 'refused').mockReturnValueOnce(false);
  const message: ToPage = { type: 'refused', what: "the server has no time for the page's sound", mend: 'Try again.' };
  wires[0]?.say(message);
  expect(desk.refused).toBeNull();
  refused.mockReturnValueOnce(true);
  wires[0]?.say(message);
  expect(desk.refused).not.toBeNull();
});

test('a page whose session was ended elsewhere goes to the sign-in', async () => {
  const me = { name: 'me', role: 'operator', preferences: {} };
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(me)));
  await session.begin();
  session.onOver(() => desk.end());
  for (const status of [503, 401]) {
    vi.stubGlobal('fetch', async () => new Response('{}', { status }));
    expect(session.me).not.toBeNull();
    for (let at = 0; at < 4; at += 1) {
      wires.at(-1)?.onclose?.();
      await vi.advanceTimersByTimeAsync(1000);
    }
  }
  expect([session.me, desk.link]).toEqual([null, 'closed']);
});
