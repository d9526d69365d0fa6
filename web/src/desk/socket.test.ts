import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { ToPage } from './messages';
import { DeskSocket, type LinkState, type Wire } from './socket';

class FakeWire implements Wire {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: string[] = [];
  closed = false;
  send(text: string) { this.sent.push(text); }
  close() { this.closed = true; }
  say(message: object) { this.onmessage?.({ data: JSON.stringify(message) }); }
}

const WELCOME = { event: 1, type: 'welcome', operator: 'a', generation: 1, pause_reasons: [], now_ms: 1 };

let wires: FakeWire[];
let states: LinkState[];
let heard: ToPage[];
let keptOut: number;
let socket: DeskSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [wires, states, heard, keptOut] = [[], [], [], 0];
  const listener = { heard: (message: ToPage) => heard.push(message), changed: (state: LinkState) => states.push(state), keptOut: () => { keptOut += 1; } };
  socket = new DeskSocket(listener, () => { const wire = new FakeWire(); wires.push(wire); return wire; });
  socket.open();
  wires[0]?.onopen?.();
  wires[0]?.say(WELCOME);
});
afterEach(() => { socket.close(); vi.useRealTimers(); });

test('is up with the welcome and answers echoes by itself', () => {
  expect(states).toEqual(['connecting', 'up']);
  wires[0]?.say({ event: 2, type: 'echo', n: 7 });
  expect(wires[0]?.sent).toEqual(['{"type":"echo","n":7}']);
  expect(heard.map(({ type }) => type)).toEqual(['welcome']);
});

test('asks for everything after a gap, and boards are none', () => {
  wires[0]?.say({ type: 'board', board: { at_ms: 1 } });
  wires[0]?.say({ event: 2, type: 'offer_gone', call: 1 });
  expect(wires[0]?.sent).toEqual([]);
  wires[0]?.say({ event: 5, type: 'offer_gone', call: 1 });
  expect(wires[0]?.sent).toEqual(['{"type":"hello","last_event":2}']);
});

test('a wire that is silent is left, and tried again at growing distances', () => {
  vi.advanceTimersByTime(8000);
  expect(socket.state).toBe('lost');
  expect(wires[0]?.closed).toBe(true);
  expect(socket.send({ type: 'ready' })).toBe(false);
  vi.advanceTimersByTime(300);
  expect(wires.length).toBe(2);
  wires[1]?.onclose?.();
  vi.advanceTimersByTime(599);
  expect(wires.length).toBe(2);
  vi.advanceTimersByTime(1);
  expect(wires.length).toBe(3);
  vi.advanceTimersByTime(2000);
  expect(wires[2]?.closed).toBe(true);
});

test('comes at once when the network is back', () => {
  wires[0]?.onclose?.();
  socket.wake();
  expect(wires.length).toBe(2);
  wires[1]?.say(WELCOME);
  expect(socket.state).toBe('up');
});

test('does not come back by itself when another page has the desk', () => {
  wires[0]?.say({ event: 2, type: 'taken_over' });
  vi.advanceTimersByTime(60_000);
  expect(socket.state).toBe('taken_over');
  expect(wires.length).toBe(1);
  socket.open();
  expect(wires.length).toBe(2);
});

test('three tries in a row without a welcome are told, each third one', () => {
  for (let at = 0; at < 3; at += 1) {
    wires[at]?.onclose?.();
    vi.advanceTimersByTime(1000);
  }
  expect(keptOut).toBe(0);
  wires[3]?.onclose?.();
  expect(keptOut).toBe(1);
  vi.advanceTimersByTime(1000);
  wires[4]?.say(WELCOME);
  wires[4]?.onclose?.();
  expect(keptOut).toBe(1);
});
