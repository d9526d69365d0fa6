import { expect, test } from 'vitest';

import { effect, inForce, isOn, letters, local, midnight, monday, shiftsOn, span, staffed, type Table } from './table';

const zone = 'Asia/Qostanay';
/** Monday, 23 November 2026, by the city's clocks. */
const DAY = Date.UTC(2026, 10, 23);
const hour = (n: number) => DAY + n * 3_600_000;
const TABLE: Table = {
  templates: { day: { zone, from: '08:00', to: '20:00', days: ['mon', 'tue'] }, night: { zone, from: '20:00', to: '08:00' } },
  shifts: { early: { template: 'day', operators: ['nina', 'omar'] }, late: { template: 'night', operators: ['lev'] } },
  operators: ['lev', 'nina', 'omar'].map((operator) => ({ operator, is_on: false, shifts: [] })),
  orders: [],
};
const nothing = new Map();

test('a moment is read as the city’s clocks show it', () => {
  expect(local(Date.UTC(2026, 10, 22, 21, 30), zone)).toBe(hour(2.5));
  expect([midnight(hour(9)), monday(hour(9)), monday(DAY + 6 * 86_400_000)]).toEqual([DAY, DAY, DAY]);
});

test('a night ends on the next day, and a template keeps its weekdays', () => {
  expect(span(TABLE.templates.night!, DAY)).toEqual([hour(20), hour(32)]);
  expect(span(TABLE.templates.day!, DAY + 2 * 86_400_000)).toBeNull();
  expect(shiftsOn(TABLE, 'nina', DAY)).toEqual([{ name: 'early', template: 'day' }]);
});

test('half hours count who is there, the night of yesterday with them', () => {
  const there = staffed(TABLE, DAY, hour(9), nothing);
  expect([there[0], there[15], there[16], there[39], there[40]]).toEqual([1, 1, 2, 2, 1]);
});

test('an order holds from now until its end, and the newest counts', () => {
  const order = (wanted: string, shift: string | null, until: number) => ({ agent: 'nina', wanted, shift, until_ms: until, by_name: 'boss', reason: 'ill', at_ms: 1 });
  const now = Date.UTC(2026, 10, 23, 7); // 12:00 in the city
  const table = { ...TABLE, orders: [order('home', null, now + 4 * 3_600_000), order('moved', 'late', now + 9 * 3_600_000)] };
  const orders = inForce(table, now, zone);
  const on = (at: number) => isOn(table, 'nina', at, hour(12), orders);
  expect([on(hour(11)), on(hour(13)), on(hour(17))]).toEqual([true, false, true]);
  expect(inForce({ ...table, orders: [order('table', null, now + 1)] }, now, zone).get('nina')?.wanted).toEqual({ table: {} });
  expect(effect(staffed(TABLE, DAY, hour(12), nothing), staffed(table, DAY, hour(12), orders), DAY)).toEqual([{ from: hour(12), to: hour(16), before: 2, after: 1 }]);
});

test('letters name a template', () => {
  expect([letters('day-2'), letters('night'), letters('күндізгі ауысым')]).toEqual(['D2', 'N', 'КА']);
});
