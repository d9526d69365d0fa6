import { expect, test } from 'vitest';

import { actionsOf, BINDINGS } from './keys';

const key = (code: string, more: object = {}) => ({ code, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, repeat: false, ...more });
const outside = { typing: false, letters: true };

test('a letter acts by its place, and in a field only with Alt', () => {
  expect(actionsOf(key('KeyH'), outside)).toEqual(['hold']);
  expect(actionsOf(key('KeyH'), { typing: true, letters: true })).toEqual([]);
  expect(actionsOf(key('KeyH', { altKey: true }), { typing: true, letters: true })).toEqual(['hold']);
});

test('letters can be switched off, then Alt is needed', () => {
  expect(actionsOf(key('KeyH'), { typing: false, letters: false })).toEqual([]);
  expect(actionsOf(key('KeyH', { altKey: true }), { typing: false, letters: false })).toEqual(['hold']);
});

test('the browser keeps its own keys, and a key that is held acts once', () => {
  expect(actionsOf(key('KeyT', { ctrlKey: true }), outside)).toEqual([]);
  expect(actionsOf(key('KeyE', { repeat: true }), outside)).toEqual([]);
  expect(actionsOf(key('Slash', { shiftKey: true }), outside)).toEqual(['keys']);
});

test('a key means one thing at a time', () => {
  const shared = BINDINGS.filter(({ code }, at, all) => all.findIndex((other) => other.code === code) !== at).map(({ action }) => action);
  expect(shared).toEqual(['ready']);
});
