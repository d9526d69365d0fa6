import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { onceDrawn } from './drawn';

let frames: (() => void)[];

beforeEach(() => {
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => frames.push(draw));
});
afterEach(() => { vi.unstubAllGlobals(); });

test('what is seen is told two frames later', () => {
  vi.stubGlobal('document', { hidden: false });
  const told = vi.fn();
  onceDrawn(told);
  frames.shift()?.();
  expect(told).not.toHaveBeenCalled();
  frames.shift()?.();
  expect(told).toHaveBeenCalledOnce();
});

test('a hidden page draws no frames and tells at once', () => {
  vi.stubGlobal('document', { hidden: true });
  const told = vi.fn();
  onceDrawn(told);
  expect([told.mock.calls.length, frames.length]).toEqual([1, 0]);
});
