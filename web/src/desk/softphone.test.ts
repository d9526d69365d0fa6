import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Softphone } from './softphone';

class FakeTrack extends EventTarget {
  enabled = true;
  readyState = 'live';
  stop() { this.readyState = 'ended'; }
  unplug() { this.readyState = 'ended'; this.dispatchEvent(new Event('ended')); }
}

class FakeStream {
  track = new FakeTrack();
  getTracks() { return [this.track]; }
  getAudioTracks() { return [this.track]; }
}

class FakeConnection {
  signalingState = 'stable';
  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  answer = '';
  track: FakeTrack | null = null;
  /** As the track was when it was put in. */
  enabledAtFirst = false;
  onconnectionstatechange: (() => void) | null = null;
  constructor() { connections.push(this); }
  addTransceiver(track: FakeTrack) { [this.track, this.enabledAtFirst] = [track, track.enabled]; return { setCodecPreferences() {} }; }
  getSenders() { return [{ replaceTrack: async (track: FakeTrack) => { this.track = track; } }]; }
  async setLocalDescription() { this.signalingState = 'have-local-offer'; this.localDescription = { sdp: `offer ${connections.indexOf(this)}` }; }
  async setRemoteDescription({ sdp }: { sdp: string }) { [this.answer, this.signalingState] = [sdp, 'stable']; }
  close() { this.signalingState = 'closed'; }
  is(state: string) { this.connectionState = state; this.onconnectionstatechange?.(); }
}

class FakeContext {
  async resume() {}
  async close() {}
  createAnalyser() { return {}; }
  createMediaStreamSource() { return { connect() {} }; }
}

class FakeDevices extends EventTarget {
  plugged = true;
  given: FakeStream[] = [];
  async getUserMedia() {
    if (!this.plugged) throw new DOMException('none', 'NotFoundError');
    const stream = new FakeStream();
    this.given.push(stream);
    return stream;
  }
}

let connections: FakeConnection[];
let media: FakeDevices;
let phone: Softphone;

const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  media = new FakeDevices();
  vi.stubGlobal('navigator', { mediaDevices: media });
  vi.stubGlobal('MediaStream', FakeStream);
  vi.stubGlobal('AudioContext', FakeContext);
  vi.stubGlobal('RTCPeerConnection', FakeConnection);
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
  phone = new Softphone({ offer: () => true, linked: () => true, changed: () => {} });
});
afterEach(() => { phone.end(); vi.useRealTimers(); vi.unstubAllGlobals(); });

async function up() {
  await phone.begin('', '');
  connections[0]?.is('connected');
  expect(phone.state).toBe('up');
}

test('begun twice at once, one microphone is taken and one offer made', async () => {
  const both = await Promise.all([phone.begin('', ''), phone.begin('', '')]);
  expect([both, media.given.length, connections.length]).toEqual([[true, true], 1, 1]);
});

test('a microphone that comes after the end is given back', async () => {
  const begun = phone.begin('', '');
  phone.end();
  expect(await begun).toBe(false);
  expect([phone.on, phone.state, media.given[0]?.track.readyState]).toEqual([false, 'off', 'ended']);
});

test('an unplugged microphone is missed, and another is taken when it is chosen', async () => {
  await up();
  media.plugged = false;
  media.given[0]?.track.unplug();
  await settled();
  expect([phone.state, phone.on]).toEqual(['no_microphone', true]);
  media.plugged = true;
  await phone.useMicrophone('other');
  expect([phone.state, connections[0]?.track, connections.length]).toEqual(['up', media.given[1]?.track, 1]);
});

test.each([['begun again', () => phone.begin('', '')], ['plugged in', async () => { media.dispatchEvent(new Event('devicechange')); }]])('an unplugged microphone comes back when %s', async (_, mend) => {
  await up();
  media.plugged = false;
  media.given[0]?.track.unplug();
  await settled();
  media.plugged = true;
  await mend();
  await settled();
  expect([phone.state, connections[0]?.track, media.given.length]).toEqual(['up', media.given[1]?.track, 2]);
});

test('a choice that cannot be had leaves the microphone that speaks', async () => {
  await up();
  media.plugged = false;
  expect(await phone.useMicrophone('other')).toBe(true);
  expect([phone.state, media.given[0]?.track.readyState]).toEqual(['up', 'live']);
});

test('muted before the microphone is there, it is silent from the first', async () => {
  phone.mute(true);
  await phone.begin('', '');
  expect(connections[0]?.enabledAtFirst).toBe(false);
});

test('only the answer to the last offer is taken', async () => {
  await phone.begin('', '');
  await phone.connect();
  await phone.answered('answer 0');
  expect(connections.map(({ answer }) => answer)).toEqual(['', '']);
  await phone.answered('answer 1');
  expect(connections[1]?.answer).toBe('answer 1');
});

test('a refusal belongs to the first offer that waits', async () => {
  await phone.begin('', '');
  await phone.connect();
  expect(phone.refused()).toBe(false);
  expect(phone.refused()).toBe(true);
});

test('what was asked on a lost wire is not waited for', async () => {
  await phone.begin('', '');
  phone.wireLost();
  await phone.connect();
  await phone.answered('answer 1');
  expect(connections[1]?.answer).toBe('answer 1');
});
