import { expect, test } from 'vitest';

import type { Shape } from '../../api/client';
import { byDeadline, totals } from './owed';

const row = (id: number, reaction: number, resolution: number, more: Partial<Shape<'CaseView'>> = {}) =>
  ({ id, number: String(id), state: 'forwarded', reaction_due_ms: reaction, resolution_due_ms: resolution, ...more }) as Shape<'CaseView'>;

test('what is due next stands first, also where it was taken on already', () => {
  const rows = [row(1, 50, 900), row(2, 5, 70, { reaction_kept_ms: 4, state: 'accepted' }), row(3, 60, 61)];
  expect(byDeadline(rows).map(({ id }) => id)).toEqual([1, 3, 2]);
});

test('what stands above the list is counted of it', () => {
  const rows = [row(1, 50, 900), row(2, 5, 70, { reaction_kept_ms: 4, state: 'accepted' }), row(3, 200, 210)];
  expect(totals(rows, 60, 100)).toEqual({ toAccept: 2, late: 1, today: 1 });
});
