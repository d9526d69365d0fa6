// What does a made-up register hold? Enough of cases, incidents and settings to draw the pages beside the desk; all of it is invented.

const NOW = Date.UTC(2026, 10, 23, 5, 2, 11);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const names = (en: string, kk: string, ru: string, uk: string) => ({ en, kk, ru, uk });

export const NUMBER = '109-2026-004101';

const row = (n: number, more: object = {}) => ({
  id: n, number: `109-2026-00${n}`, kind: 'complaint', channel: 'phone', topic: 'heating/no-heating', priority: 'high', state: 'in_work', organisation: 'heat', district: 'north', registered_ms: NOW - 5 * DAY,
  reaction_due_ms: NOW - 4 * DAY, reaction_kept_ms: NOW - 4.5 * DAY, reaction_late_ms: null, resolution_due_ms: NOW + DAY, resolution_kept_ms: null, resolution_late_ms: null, reopened: 0, overdue: null, late_ms: null, ...more,
});
const late = row(3988, { resolution_due_ms: NOW - 3 * DAY, resolution_late_ms: 3 * DAY, overdue: 'resolution', late_ms: 3 * DAY, priority: 'urgent', state: 'forwarded', reaction_kept_ms: null });

const event = (place: number, what: object, by: object, words: string | null = null) => ({ at: NOW - DAY + place * HOUR, by, what, place, hash: 'ab'.repeat(32), words, erased: false });
const organisation = { role: 'organisation', name: 'heat', organisation: 'heat' };
const HISTORY = [
  event(1, { what: 'registered', channel: 'phone', kind: 'complaint', topic: 'heating/no-heating', priority: 'high', promise: {} }, { role: 'operator', name: 'nina' }, JSON.stringify({ text: 'Cold since Monday.', address: { street: 'Abai', house: '12', flat: '40' } })),
  event(2, { what: 'forwarded', organisation: 'heat', promise: { resolution_due: NOW + DAY } }, { role: 'system', part: 'routes' }),
  event(3, { what: 'accepted' }, organisation),
  event(4, { what: 'escalated', clock: 'resolution', step: 1, to: 'head' }, { role: 'system', part: 'clocks' }),
];
const seal = { at_ms: NOW, head: 'cd'.repeat(32), place: 4 };

export const COUNTED = { offered: 100, answered: 90, answered_in_target: 70, abandoned: 10, abandoned_short: 3, abandoned_in_target: 6, flowed_out: 0, waited_ms: 900_000, all_waited_ms: 990_000, longest_ms: 90_000 };

const status = { number: NUMBER, station: 'being_done', registered_ms: NOW - 5 * DAY, sent_ms: NOW - 4 * DAY, begun_ms: NOW - DAY, done_ms: null, due_ms: NOW + DAY, late_ms: null, reopened: 1 };
const mine = { ...status, topic: 'heating/no-heating', topic_names: names('Heating', 'Жылу', 'Отопление', 'Опалення'), may_confirm: true, may_reopen: true };

const step = (id: string, kind: string, line: number, more: object = {}) => ({ id, kind, line, says: [], topic: null, queue: null, calendar: null, dials: null, ...more });

const entry = (id: number, action: string, subject: string, who = 'nina') => ({ id, at_ms: NOW - (6 - id) * HOUR, who, action, subject });

/** What each path answers. */
export const register: Record<string, unknown> = {
  'GET /api/cases': [late, row(4101), row(4102, { state: 'done', resolution_kept_ms: NOW - HOUR })],
  '/api/register/overdue': { at_ms: NOW, cases: [late], desks: [{ organisation: 'heat', cases: 1, oldest_due_ms: NOW - 3 * DAY }, { organisation: null, cases: 2, oldest_due_ms: NOW - DAY }] },
  '/api/register/names': { districts: { north: names('North', 'Солтүстік', 'Северный', 'Північний') }, pauses: { frost: names('Frost', 'Аяз', 'Мороз', 'Мороз') }, organisations: { heat: 'Heat networks' } },
  '/api/register/league': { from_ms: 0, to_ms: NOW, lines: [{ organisation: 'heat', cases: 9, reaction: { in_time: 3, judged: 4, kept: 4, running: 5, median_ms: HOUR }, resolution: { in_time: 0, judged: 0, kept: 0, running: 9, median_ms: null } }] },
  '/api/register/control-calls': [{ ...row(4102, { state: 'done' }), close_after_ms: NOW + DAY, control_calls: 1, control_calls_needed: 2, done_for_ms: DAY }],
  '/api/organisations': [{ id: 'heat', name: 'Heat networks', calendar: 'office', active: true, revision: 1 }],
  '/api/districts': [{ district: 'north', cases: 40, open: 12, overdue: 3 }, { district: null, cases: 4, open: 0, overdue: 0 }],
  [`/api/cases/${NUMBER}`]: { ...row(4101), case: { control_calls: 0, incidents: ['incident:7'] }, history: HISTORY },
  [`/api/cases/${NUMBER}/history`]: { events: HISTORY.map((entry) => ({ ...entry, seal })) },
  [`/api/cases/${NUMBER}/files`]: [{ hash: 'ef'.repeat(32), media: 'image/jpeg', bytes: 90_000, by_name: 'heat', at_ms: NOW - HOUR }],
  '/api/incidents': [{ n: 7, sort: 'incident', state: 'proposed', topic: 'heating', owner: null, cases: 5, begins_ms: NOW - HOUR, changed_ms: NOW, ends_ms: null }],
  '/api/incidents/7': {
    n: 7, sort: 'incident', state: 'proposed', topic: 'heating', owner: null, cases: 5, begins: NOW - HOUR, districts: ['north'], notice: {}, photos: [], wording: 0, numbers: [NUMBER], subscribers: 2,
    history: [{ at: NOW - HOUR, by: { role: 'system', part: 'closeness' }, what: { what: 'proposed', cases: [NUMBER], districts: ['north'], since: NOW - HOUR, topic: 'heating' }, place: 1, words: null }],
  },
  [`/api/status/${NUMBER}`]: status,
  '/api/cabinet/me': { number: '•••45', until_ms: NOW + DAY },
  '/api/cabinet/cases': [mine],
  [`/api/cabinet/cases/${NUMBER}`]: { ...mine, text: 'Cold since Monday.', answer: 'The valve is replaced.', organisation: 'Heat networks', events: [{ at_ms: NOW - DAY, what: 'registered' }], files: [] },
  '/api/accounts': [{ name: 'nina', role: 'operator', organisation: null, groups: [], second_factor: true, locked_until_ms: null }, { name: 'b.koval', role: 'operator', organisation: null, groups: [], second_factor: false, locked_until_ms: NOW + 11 * 60_000 }],
  '/api/accesses': [entry(5, 'accounts', 'account nina unlocked', 'admin'), entry(4, 'recording', 'call 12 recording 1'), entry(3, 'evidence', `${NUMBER} ${'ab'.repeat(32)}`), entry(2, 'cases', NUMBER), entry(1, 'story', 'call 12')],
  '/api/settings': {
    revision: 1, edited: [], operators: { nina: { skills: ['kk', 'heating'], levels: { kk: 10, heating: 7 }, phone: { user: '201', has_password: true, secure: null }, address: null, ready_when_registered: true, answer_at_desk: false, browser: false } },
    queues: { heating: { skills: ['heating'], wrap_up_ms: 30_000, strategy: 'most_skilled', rings: [{ after_ms: 0, level: 8 }, { after_ms: 60_000, drop: ['heating'] }] } }, calendars: { office: { zone: 'Asia/Qostanay', week: { mon: ['09:00-18:00'] }, special: {} } }, pause_reasons: ['lunch'], skills: ['kk', 'heating'],
    numbers: [{ number: '109', title: 'City', languages: ['kk', 'ru'], plan: '109' }], trunks: [],
  },
  '/api/dialplans': {
    revision: 1,
    plans: [{
      name: '109', edited: false, text: '[plan]', number: '109', title: 'City', languages: ['kk'], start: 'welcome',
      nodes: [step('welcome', 'play', 3, { says: ['welcome'] }), step('topics', 'menu', 9), step('heating', 'queue', 20, { queue: 'heating' }), step('closed', 'hang_up', 30)],
      edges: [{ from: 'welcome', to: 'topics', when: 'next', key: null }, { from: 'topics', to: 'heating', when: 'key', key: '1' }, { from: 'topics', to: 'closed', when: 'otherwise', key: null }, { from: 'heating', to: 'closed', when: 'overflow', key: null }],
      faults: [{ step: 'closed', line: 30, what: 'nothing is said', mend: 'say why', is_warning: true }],
    }],
  },
};
