// What does a made-up server answer? Enough of a city to draw every state of the desk; people and numbers are invented.

import { COUNTED, register } from './register';

const NOW = Date.UTC(2026, 10, 23, 5, 2, 11);
export const now = NOW;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const names = (en: string, kk: string, ru: string, uk: string) => ({ en, kk, ru, uk });

export const TOPICS = [
  { id: 'heating', names: names('Heating', 'Жылу', 'Отопление', 'Опалення'), attributes: [] },
  { id: 'heating/no-heating', names: names('No heating in the flat', 'Пәтерде жылу жоқ', 'Нет отопления в квартире', 'Немає опалення у квартирі'), attributes: [] },
  { id: 'heating/leak', names: names('A heating pipe leaks', 'Құбыр ағып тұр', 'Течь трубы отопления', 'Протікає труба опалення'), attributes: [] },
  { id: 'roads', names: names('Roads', 'Жолдар', 'Дороги', 'Дороги'), attributes: [] },
];

const TARGETS = { answer_ms: 20_000, short_ms: 5_000, level_percent: 80, longest_ms: 20_000, waiting: 0, abandoned_percent: 10 };
const figures = (more: object = {}) => ({ entered: 24, counts: COUNTED, level: 8_700, abandonment: 420, average_answer_ms: 11_400, average_handling_ms: 214_000, handled: 21, occupancy: 7_150, ...more });
/** Two hours of a morning that fills. */
const STRIP = Array.from({ length: 24 }, (_, n) => ({ from_ms: NOW - 131_000 - (23 - n) * 5 * MINUTE, entered: 3 + ((n * 7) % 5) + Math.floor(n / 3), ended: 3 + ((n * 5) % 5) + Math.floor(n / 3), in_target: 2 + ((n * 5) % 4) + Math.floor(n / 4) }));
const person = (operator: string, state: string, ago: number, more: object = {}) => ({ operator, state, reason: null, since_ms: NOW - ago, answered: 9, call: null, queue: null, language: null, topic: null, skills: { heating: 7, kk: 10, ru: 8 }, settled_skills: null, on_shift: true, shifts: ['day'], ...more });

export const board = {
  at_ms: NOW, since_ms: NOW - 5 * HOUR, window_minutes: 30, measure: 'strict', window: figures({ level: 7_600 }), strip: STRIP, calls_up: 4, last: [], help: [], alerts: [], steering: { evacuation: null, modes: [], able: [], refused: [] }, shifts_revision: 1,
  calls: [{ call: 42, number: '109', started_ms: NOW - 400_000, since_ms: NOW - 271_000, language: 'kk', topic: 'heating', state: 'talking', with: 'nina', no_sound: false }],
  queues: [
    { queue: 'heating', skills: ['heating'], waiting: 3, longest_since_ms: NOW - 62_000, counts: COUNTED, callbacks: 1, callbacks_owed: 2, window: figures({ level: 5_800, abandonment: 1_300 }), staff: { ready: 1, talking: 2, wrap_up: 0, away: 1 }, targets: { ...TARGETS, waiting: 2 } },
    { queue: 'roads', skills: ['roads'], waiting: 0, longest_since_ms: null, counts: COUNTED, callbacks: 0, callbacks_owed: 0, window: figures(), staff: { ready: 1, talking: 0, wrap_up: 0, away: 0 }, targets: TARGETS },
  ],
  operators: [
    person('a.serik', 'talking', 90_000, { answered: 12, call: 41, queue: 'heating', language: 'ru', topic: 'heating' }),
    person('b.koval', 'ready', 30_000),
    person('d.omar', 'paused', 600_000, { reason: 'lunch' }),
    person('nina', 'talking', 271_000, { answered: 23, call: 42, queue: 'heating', language: 'kk', topic: 'heating/no-heating' }),
  ],
  today: { calls: 120, ended: {}, offers_missed: 1, callbacks_owed: 2, called_out: 3, queues: COUNTED },
};

const caseRow = (n: number, topic: string, more: object) => ({
  id: n, number: `109-2026-00${n}`, kind: 'complaint', channel: 'phone', topic, priority: 'normal', state: 'in_work', registered_ms: NOW - 5 * DAY,
  reaction_due_ms: NOW - 4 * DAY, resolution_due_ms: NOW + DAY, reopened: 0, ...more,
});

export const story = {
  number: '+77010000045', name: null, callbacks: 1,
  residents: [{ id: 1, name: 'Aigul S.', protected: 'veteran' }, { id: 2, name: 'Marat S.' }],
  cases: [caseRow(3988, 'heating/no-heating', { resolution_due_ms: NOW - 3 * DAY - 4 * HOUR, overdue: 'resolution', late_ms: 3 * DAY + 4 * HOUR }), caseRow(4101, 'roads', {})],
  near: [{ n: 7, sort: 'incident', topic: 'heating', districts: ['almaty'], begins_ms: NOW - HOUR, repair_due_ms: NOW + 8 * HOUR, notice: {} }],
  notes: [{ id: 1, by_name: 'b.koval', at_ms: NOW - DAY, text: 'Speaks slowly, hears badly.' }], abuse_until_ms: null,
  calls: [
    { id: 40, number: '109', started_ms: NOW - DAY, topic: 'heating', agent: 'b.koval', end_reason: 'caller_hung_up' },
    { id: 31, number: '109', started_ms: NOW - 9 * DAY, topic: 'roads', agent: null, end_reason: 'abandoned' },
  ],
};

export const offer = {
  type: 'offer', call: 42, queue: 'heating', language: 'kk', topic: 'heating/no-heating', waited_ms: 48_000, rings_ms: 15_000, ringing: true, number: '109', auto_answer: false, calls_from: '••• 45',
  why: { rule: 'LongestIdle', needed: ['kk', 'heating'], verdicts: [['a.serik', { NotReady: { state: 'talking' } }], ['b.koval', { Eligible: { idle_ms: 30_000 } }], ['nina', { Chosen: { idle_ms: 134_000 } }]] },
};

export const welcome = { type: 'welcome', operator: 'nina', generation: 1, pause_reasons: ['break', 'lunch', 'training', 'meeting'], speaks_by: 'page', now_ms: NOW };

export const state = (doing: string, more: object = {}) => ({ type: 'state', state: doing, reason: null, call: null, since_ms: NOW - 134_000, until_ms: null, extendable: false, ...more });

const call = {
  caller: '+77010000045', legs: [], leg_quality: [],
  call: { id: 42, number: '109', started_ms: NOW - 400_000, ended_ms: NOW - 20_000, connected_ms: NOW - 271_000, waited_ms: 96_000, language: 'kk', topic: 'heating/no-heating', queue: 'heating', agent: 'nina', end_reason: 'caller_hung_up' },
  steps: [{ step: 'language', at_ms: NOW - 398_000 }, { step: 'language', at_ms: NOW - 395_000, key: '1' }],
  queue_events: [{ queue: 'heating', language: 'kk', skills: 'heating kk', entered_ms: NOW - 367_000, left_ms: NOW - 271_000, how: 'answered', waited_ms: 96_000 }],
  offers: [{ queue: 'heating', agent: 'a.serik', why: {}, offered_ms: NOW - 300_000, ended_ms: NOW - 285_000, how: 'no_answer' }, { queue: 'heating', agent: 'nina', why: {}, offered_ms: NOW - 275_000, ended_ms: NOW - 271_000, how: 'answered' }],
  events: [{ what: 'ring_1', at_ms: NOW - 340_000 }, { what: 'held', at_ms: NOW - 200_000 }, { what: 'resumed', at_ms: NOW - 180_000 }],
  recordings: [{ n: 1, started_ms: NOW - 271_000, agent: 'nina', length_ms: 251_000 }],
};
const needs = { rule: 'LongestIdle', needed: ['heating', 'kk'] };
const moments = [
  { at_ms: NOW - 367_000, offered_to: null, left_out: 0, words: [], why: { ...needs, minimum: { heating: 8 }, verdicts: [['a.serik', { NotReady: { state: 'talking' } }], ['b.koval', { BelowLevel: { levels: { heating: 5 } } }], ['d.omar', { OffShift: {} }], ['nina', { NotReady: { state: 'wrap_up' } }]] } },
  { at_ms: NOW - 300_000, offered_to: 'a.serik', left_out: 3, words: [], why: { ...needs, ring: 1, credit_ms: 60_000, verdicts: [['a.serik', { Chosen: { idle_ms: 4_000 } }], ['b.koval', { Lacks: { skills: ['kk'] } }], ['nina', { NotReady: { state: 'wrap_up' } }]] } },
  { at_ms: NOW - 275_000, offered_to: 'nina', left_out: 0, words: [], why: { ...needs, ring: 1, credit_ms: 60_000, verdicts: [['a.serik', { NotReady: { state: 'not_responding' } }], ['b.koval', { Eligible: { idle_ms: 2_000 } }], ['nina', { Chosen: { idle_ms: 8_000 } }]] } },
];

const shifts = {
  templates: { 'day-1': { zone: 'Asia/Qostanay', from: '08:00', to: '17:00' }, 'day-2': { zone: 'Asia/Qostanay', from: '11:00', to: '20:00', days: ['mon', 'tue', 'wed', 'thu', 'fri'] }, night: { zone: 'Asia/Qostanay', from: '20:00', to: '08:00' } },
  shifts: { early: { template: 'day-1', operators: ['a.serik', 'nina'] }, late: { template: 'day-2', operators: ['b.koval', 'd.omar'] }, night: { template: 'night', operators: ['e.lev'] } },
  operators: ['a.serik', 'b.koval', 'd.omar', 'e.lev', 'nina'].map((operator) => ({ operator, is_on: operator !== 'e.lev', shifts: [] })),
  orders: [{ agent: 'b.koval', wanted: 'home', shift: null, until_ms: NOW + 5 * HOUR, by_name: 'boss', reason: 'ill', at_ms: NOW - HOUR }],
};

const ordered = (kind: string, target: string, order: object, ago: number, more: object = {}) => ({ kind, target, what: JSON.stringify({ kind, ...order }), until_ms: null, by_name: 'boss', reason: 'many wait', at_ms: NOW - ago, refused: null, ...more });
const orders = {
  evacuation: null, modes: [], able: [], refused: [], pause_reasons: ['break', 'lunch', 'training', 'meeting'],
  orders: [
    ordered('state', 'd.omar', { operator: 'd.omar', to: 'ready' }, MINUTE, { refused: 'no_phone' }),
    ordered('able', 'b.koval', { operator: 'b.koval', levels: { heating: 9 }, queues: { roads: true } }, 2 * MINUTE, { until_ms: NOW + 5 * HOUR }),
    ordered('mode', 'heating', { queue: 'heating', mode: 'surge' }, 3 * MINUTE),
    ordered('evacuation', '', { on: false }, 2 * HOUR, { reason: 'only steam' }),
  ],
};

const me = (role: string) => ({ name: 'nina', role, second_factor: false, has_desk: role === 'operator', preferences: {} });

const article = {
  id: 1, topic: 'heating', owner: 'quality', review_ms: NOW + 30 * DAY, active: true, by_name: 'quality', changed_ms: NOW - 10 * DAY, answered: 61,
  texts: {
    en: { title: 'Who repairs a riser?', body: 'The building’s manager, within a day.' },
    kk: { title: 'Тік құбырды кім жөндейді?', body: 'Үйдің басқарушысы, бір тәулікте.' },
    ru: { title: 'Кто чинит стояк?', body: 'Управляющий дома, за сутки.' },
    uk: { title: 'Хто лагодить стояк?', body: 'Управитель будинку, за добу.' },
  },
};

/** What each path answers; others are empty lists. */
export function answers(role: string | null): Record<string, unknown> {
  return {
    '/api/me': role ? me(role) : undefined,
    '/api/welcome': { demo: true, languages: ['kk', 'ru', 'uk', 'en'], cabinet: true, demo_accounts: [{ name: 'nina', role: 'operator', password: 'x' }, { name: 'supervisor', role: 'supervisor', password: 'x' }] },
    '/api/topics': TOPICS,
    '/api/streets': [{ id: 1, name: 'Абай даңғылы', former: ['Ленин'] }],
    '/api/streets/1/buildings': [{ id: 7, street: 1, house: '12', district: 'almaty' }],
    '/api/articles': [article],
    '/api/callbacks': [{ call_id: 31, queue: 'heating', language: 'uk', number: '+77010000031', waiting_since_ms: NOW - 40 * MINUTE, owed_ms: NOW - 30 * MINUTE }],
    '/api/calls-to-make': [{ id: 3, subject: 'incident:7', text: 'Heating is back in your building.', language: 'en', number: '+77010000077', created_ms: NOW - HOUR }],
    '/api/propose': { organisation: 'heat', organisation_name: 'Heat networks', district: 'almaty', reaction_due_ms: NOW + HOUR, resolution_due_ms: NOW + DAY },
    '/api/duplicates': [{ number: '109-2026-004100', topic: 'heating/no-heating', state: 'accepted', registered_ms: NOW - 2 * HOUR, distance_m: 120, text: 'Cold radiators on all floors', incident: 7 }],
    '/api/board': board,
    '/api/calls/42': call,
    '/api/calls/42/why': moments,
    '/api/shifts': shifts,
    '/api/orders': orders,
    '/api/callbacks/standing': [{ call_id: 33, queue: 'heating', language: 'kk', number: '+77010000033', waiting_since_ms: NOW - 20 * MINUTE, stood_ms: NOW - 19 * MINUTE, tries: 1, dialled_ms: NOW - 5 * MINUTE, again_ms: NOW + 10 * MINUTE }],
    '/api/kiosk': board,
    '/api/kiosks': [{ id: 1, name: 'Hall', by_name: 'admin', made_ms: NOW - DAY, seen_ms: NOW - MINUTE }],
    '/api/board/queues/heating': [
      { call: 44, at_ms: NOW - 62_000, waited_ms: 62_000, outcome: 'waiting', in_target: false, operator: null },
      { call: 40, at_ms: NOW - 5 * MINUTE, waited_ms: 12_000, outcome: 'answered', in_target: true, operator: 'nina' },
      { call: 39, at_ms: NOW - 7 * MINUTE, waited_ms: 31_000, outcome: 'abandoned', in_target: false, operator: null },
    ],
    '/api/cases': { number: '109-2026-004127' },
    '/api/contacts': { counted: true },
    ...register,
  };
}
