import { expect, test } from 'vitest';

import { actsOn, duties } from './acts';

const person = (operator: string, state: string) =>
  ({ operator, state, reason: null, since_ms: 1, answered: 0, call: null, queue: null, language: null, topic: null, skills: {}, on_shift: true, shifts: [] });

test('talks are listened to by those who have a desk, and never one’s own', () => {
  const me = { name: 'boss', has_desk: true };
  expect(actsOn(person('nina', 'talking'), me, false)).toEqual(['monitor', 'whisper', 'barge', 'take_over', 'shift']);
  expect(actsOn(person('nina', 'ready'), me, false)).toEqual(['shift']);
  expect(actsOn(person('boss', 'talking'), me, false)).toEqual(['shift']);
  expect(actsOn(person('nina', 'talking'), { ...me, has_desk: false }, true)).toEqual(['shift', 'state', 'able']);
});

test('every shift can be added and moved to', () => {
  expect(duties(['day']).map(({ id }) => id)).toEqual(['on', 'on day', 'moved day', 'home', 'table']);
});
