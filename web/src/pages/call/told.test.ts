import { expect, test } from 'vitest';

import { story } from './told';

test('a call is told in the order in which it happened', () => {
  const detail = {
    call: { id: 7, number: '109', started_ms: 1, ended_ms: 90, end_reason: 'caller_hung_up' },
    legs: [{ n: 2, name: 'boss', party: 'agent', sound_lost: 0, unheard: 0 }], leg_quality: [],
    queue_events: [{ queue: 'heating', language: 'kk', skills: 'kk', entered_ms: 5, left_ms: 30, how: 'answered' }],
    offers: [{ queue: 'heating', agent: 'nina', why: {}, offered_ms: 20, ended_ms: 30, how: 'answered' }],
    steps: [{ step: 'language', at_ms: 2 }, { step: 'language', at_ms: 3, key: '2' }],
    events: [{ what: 'ring_1', at_ms: 12 }, { what: 'joined_whisper', at_ms: 40, leg: 2 }],
    recordings: [{ n: 1, started_ms: 31, agent: 'nina' }],
  };
  const told = story(detail as unknown as Parameters<typeof story>[0]);
  expect(told.map(({ text }) => text)).toEqual([
    'told-came-in', 'told-step', 'told-key', 'told-queued', 'told-ring', 'told-offered', 'told-left-answered', 'told-offer-answered', 'told-recording', 'told-joined_whisper', 'told-ended',
  ]);
  expect(told.find(({ text }) => text === 'told-joined_whisper')?.args.name).toBe('boss');
  expect(told.find(({ recording }) => recording === 1)?.args.name).toBe('nina');
});
