import { expect, test } from 'vitest';

import { allowed, wantsWords } from './actions';

test('an executor takes a case on, begins and finishes what lies with it', () => {
  expect(allowed('organisation', { state: 'forwarded', organisation: 'heat' })).toEqual(['accept', 'start', 'finish', 'return', 'note']);
  expect(allowed('organisation', { state: 'paused', organisation: 'heat' })).toEqual(['finish', 'resume', 'note']);
  expect(allowed('organisation', { state: 'done', organisation: 'heat' })).toEqual(['note']);
});

test('an operator forwards what is new, and never takes a case away from who works on it', () => {
  expect(allowed('operator', { state: 'registered', organisation: null })).toContain('forward');
  expect(allowed('operator', { state: 'in_work', organisation: 'heat' })).not.toContain('forward');
  expect(allowed('supervisor', { state: 'in_work', organisation: 'heat' })).toContain('forward');
});

test('control closes, an operator does not; the city reads', () => {
  expect(allowed('quality', { state: 'done', organisation: 'heat' })).toContain('close');
  expect(allowed('operator', { state: 'done', organisation: 'heat' })).not.toContain('close');
  expect(allowed('city', { state: 'done', organisation: 'heat' })).toEqual([]);
});

test('evidence is a text or a photo', () => {
  expect(wantsWords('finish', 0)).toBe(true);
  expect(wantsWords('finish', 1)).toBe(false);
  expect(wantsWords('accept', 0)).toBe(false);
});
