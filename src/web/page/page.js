// Draws what the server says and sends what the person wants; decides nothing.
'use strict';

const LANGUAGES = { kk: 'Kazakh', ru: 'Russian', uk: 'Ukrainian', en: 'English' };
const STATES = {
  ready: 'Ready', offered: 'Ringing', talking: 'Talking', wrap_up: 'Wrap-up', paused: 'Paused', offline: 'Offline',
  not_responding: 'Not responding', waiting: 'Waiting', plan: 'In the menu', arriving: 'Arriving', outside: 'Handed over',
  supervising: 'Listening', internal: 'With a colleague', transferring: 'Being handed over', calling: 'Being called',
};
const ENDINGS = {
  caller_hung_up: 'Resident hung up', left_in_menu: 'Left in the menu', abandoned: 'Gave up waiting', operator_hung_up: 'Operator hung up',
  plan_ended: 'End of the menu', outside_ended: 'Handed over', answered_elsewhere: 'Answered elsewhere', given_up: 'Given up', refused: 'Refused',
  unknown_number: 'Unknown number', overloaded: 'Overloaded', media_failed: 'Sound failed', no_sound: 'No sound',
  signalling_failed: 'Line failed', shell_lost: 'Overloaded', interrupted: 'Interrupted', poisoned: 'Failed', not_reached: 'Not reached', replaced: 'On another phone',
};
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 5000;

const at = (id) => document.getElementById(id);
let me = null;
let ahead = 0; // how far the server's clock is ahead of ours, in milliseconds

// --- drawing ------------------------------------------------------------------------------------------------------------------

/** An element with a class, attributes and children; text goes in as text, never as markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

const mark = (state, text) => make('span', { class: `mark ${state}` }, icon(state === 'arriving' ? 'waiting' : state), text ?? STATES[state] ?? state);
const since = (ms) => make('time', { 'data-since': ms }, clock(now() - ms));
const now = () => Date.now() + ahead;

function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const timeOfDay = (ms) => new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = (ms) => new Date(ms).toLocaleString([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** Rows stay the same elements in the same order while their key does, so that nothing jumps under a hand. */
function rows(parent, items, key, draw) {
  const former = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, place) => {
    const name = String(key(item));
    const text = JSON.stringify(item);
    let row = former.get(name);
    former.delete(name);
    if (!row || row.dataset.text !== text) {
      const fresh = draw(item);
      fresh.dataset.key = name;
      fresh.dataset.text = text;
      if (row) row.replaceWith(fresh);
      row = fresh;
    }
    if (parent.children[place] !== row) parent.insertBefore(row, parent.children[place] ?? null);
  });
  former.forEach((row) => row.remove());
}

const cell = (content, kind) => make('td', { class: kind }, content ?? '–');

setInterval(() => {
  document.querySelectorAll('[data-since]').forEach((element) => { element.textContent = clock(now() - Number(element.dataset.since)); });
}, 1000);

// --- the board ----------------------------------------------------------------------------------------------------------------

function drawBoard(board) {
  ahead = board.at_ms - Date.now();
  desk.operators = board.operators.map((one) => one.operator);
  desk.queues = board.queues.map((one) => one.queue);
  const all = board.today.queues;
  const waiting = board.queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const longest = Math.min(...board.queues.map((queue) => queue.longest_since_ms ?? Infinity));
  const ready = board.operators.filter((operator) => operator.state === 'ready').length;
  const tiles = [
    { name: 'Calls now', value: board.calls_up, more: `${board.today.calls} today` },
    { name: 'Waiting', value: waiting, since: Number.isFinite(longest) ? longest : null, warn: waiting > 0 },
    { name: 'Operators ready', value: ready, more: `${board.operators.filter((one) => one.state !== 'offline').length} on shift` },
    { name: 'Answered', value: all.answered, more: `of ${all.offered} who waited` },
    { name: 'Answered in 20 s', value: share(all.answered_in_target, all.offered), more: 'of all who waited' },
    { name: 'Abandoned', value: all.abandoned, more: `${all.abandoned_short} within 5 s` },
    { name: 'Callbacks owed', value: board.today.callbacks_owed, more: 'today' },
  ];
  rows(at('tiles'), tiles, (tile) => tile.name, (tile) => make('div', { class: tile.warn ? 'warn' : null },
    make('dt', {}, tile.name),
    make('dd', {}, String(tile.value), make('small', {}, ...(tile.since ? ['longest ', since(tile.since)] : [tile.more ?? 'nobody'])))));
  rows(at('queues'), board.queues, (queue) => queue.queue, drawQueue);
  rows(at('operators'), board.operators, (operator) => operator.operator, drawOperator);
  rows(at('calls'), board.calls, (call) => call.call, drawCall);
  rows(at('last'), board.last, (call) => call.call, drawLast);
  at('no-calls').hidden = board.calls.length > 0;
  at('no-last').hidden = board.last.length > 0;
}

const share = (part, whole) => (whole ? `${Math.round((100 * part) / whole)} %` : '–');

function drawQueue({ queue, waiting, longest_since_ms, counts }) {
  const mean = counts.answered ? clock(counts.waited_ms / counts.answered) : null;
  return make('tr', {},
    cell(queue), cell(String(waiting), 'n'), cell(longest_since_ms === null ? null : since(longest_since_ms), 'n'), cell(String(counts.answered), 'n'),
    cell(share(counts.answered_in_target, counts.offered), 'n'), cell(`${counts.abandoned} (${counts.abandoned_short})`, 'n'), cell(mean, 'n'));
}

function drawOperator({ operator, state, reason, since_ms }) {
  const words = reason ? `${STATES[state]}: ${reason}` : STATES[state];
  return make('li', {}, make('span', { class: 'name' }, operator), mark(state, words), since(since_ms));
}

function drawCall({ call, number, language, topic, state, with: who, since_ms, started_ms, no_sound }) {
  const words = (who && state !== 'plan' ? `${STATES[state]} · ${who}` : STATES[state]) + (no_sound ? ' · no sound' : '');
  return make('tr', {},
    cell(String(call)), cell(number), cell(LANGUAGES[language]), cell(topic), cell(mark(state, words)), cell(since(since_ms), 'n'), cell(since(started_ms), 'n'));
}

function drawLast({ call, number, language, topic, reason, started_ms, ended_ms }) {
  return make('tr', {},
    cell(String(call)), cell(number), cell(LANGUAGES[language]), cell(topic), cell(ENDINGS[reason] ?? reason), cell(timeOfDay(ended_ms), 'n'),
    cell(clock(ended_ms - started_ms), 'n'));
}

// --- the operator's desk ------------------------------------------------------------------------------------------------------

const desk = { socket: null, retry: RETRY_FIRST_MS, ended: false, event: 0, reasons: [], state: null, offer: null, story: null, whom: '', operators: [], queues: [] };

function openDesk() {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/desk`);
  desk.socket = socket;
  desk.event = 0;
  socket.onmessage = ({ data }) => heard(JSON.parse(data));
  socket.onclose = () => {
    if (desk.ended || desk.socket !== socket) return;
    linked(false);
    setTimeout(comeBack, desk.retry);
    desk.retry = Math.min(desk.retry * 2, RETRY_LAST_MS);
  };
}

/** The session may be gone by now: ask before knocking again. */
async function comeBack() {
  const answer = await fetch('/api/me').catch(() => null);
  if (answer?.status === 401) showLogin();
  else if (!desk.ended) openDesk();
}

const say = (message) => {
  if (desk.socket?.readyState === WebSocket.OPEN) desk.socket.send(JSON.stringify(message));
  else notice('The connection is lost. Nothing was sent; it comes back by itself.');
};

function heard(message) {
  if (message.type !== 'board') {
    if (message.event !== desk.event + 1) say({ type: 'hello', last_event: desk.event });
    desk.event = message.event;
  }
  const actions = {
    welcome: () => { desk.retry = RETRY_FIRST_MS; desk.reasons = message.pause_reasons; ahead = message.now_ms - Date.now(); linked(true); },
    echo: () => say({ type: 'echo', n: message.n }),
    board: () => drawBoard(message.board),
    state: () => { desk.state = message; drawState(); forgetDoneWork(); if (desk.offer) drawOffer(); },
    offer: () => takeOffer(message),
    context: () => { if (desk.offer?.call === message.call) { desk.story = message.story; drawStory(); } },
    offer_gone: () => { if (desk.offer?.call === message.call) { desk.offer.ringing = false; drawOffer(); forgetDoneWork(); } },
    call_state: () => { if (desk.offer?.call === message.call) { callChanged(desk.offer, message.state); drawOffer(); } },
    refused: () => notice(`Not possible: ${message.what}. ${message.mend}`),
    case_saved: () => caseSaved(message),
    taken_over: () => { desk.ended = true; linked(false, 'Another tab has taken over this desk. Load the page again to take it back.'); },
  };
  actions[message.type]?.();
}

/** Who takes part in the call: whoever was asked leads it from the moment in which the resident is theirs. */
function callChanged(offer, state) {
  if (state === 'ended') offer.ended = true;
  if (state === 'held' || state === 'resumed') offer.held = state === 'held';
  if (['asking', 'consulting', 'conference'].includes(state)) offer.third = state;
  if (state === 'alone' || state === 'connected') offer.third = null;
  if (state === 'connected') { offer.held = false; offer.from = null; }
}

function takeOffer(offer) {
  const known = desk.offer?.call === offer.call;
  desk.offer = offer;
  if (!known) { desk.story = null; startCase(offer); }
  notice(null);
  drawOffer();
  drawStory();
  if (offer.ringing) requestAnimationFrame(() => requestAnimationFrame(() => say({ type: 'offer_shown', call: offer.call })));
}

function forgetDoneWork() {
  const busy = ['offered', 'talking', 'wrap_up'].includes(desk.state?.state);
  if (desk.offer && !desk.offer.ringing && !busy) {
    desk.offer = desk.story = null;
    at('work').hidden = true;
  }
}

function drawState() {
  const { state, reason, since_ms } = desk.state;
  at('state').className = `state ${state}`;
  at('state').replaceChildren(icon(state), reason ? `${STATES[state]}: ${reason}` : STATES[state], since(since_ms));
  document.title = state === 'offered' ? 'Call! · Cityline' : `${STATES[state]} · Cityline`;
  const wish = (text, message, kind) => make('button', { type: 'button', class: kind, onclick: () => say(message) }, text);
  const pauses = desk.reasons.map((why) => wish(`Pause: ${why}`, { type: 'pause', reason: why }));
  const ready = wish('Ready', { type: 'ready' }, 'primary');
  const choices = {
    offline: [ready], not_responding: [ready, ...pauses], paused: [ready, wish('End shift', { type: 'sign_out' }), ...callOut()],
    ready: [...pauses, wish('End shift', { type: 'sign_out' }), ...callOut()],
    wrap_up: [wish('Done, ready', { type: 'wrap_up_done' }, 'primary'), ...pauses, ...callOut()],
    offered: [], talking: pauses, internal: [ready, ...pauses, wish('End shift', { type: 'sign_out' })],
  };
  at('actions').replaceChildren(...(choices[state] ?? []));
}

function drawOffer() {
  const { call, language, topic, queue, waited_ms, why, ringing, from } = desk.offer;
  const asked = from && from !== me.name;
  const ended = isOver();
  const open = at('offer').querySelector('details')?.open;
  const act = (text, key, type, kind) => make('button', { type: 'button', class: kind, onclick: () => say({ type, call }) }, text, ' ', make('kbd', {}, key));
  const buttons = ringing ? [act('Accept', 'A', 'accept', 'primary'), act('Decline', 'D', 'decline')]
    : ended ? [] : [act(asked ? 'Leave' : 'End call', 'E', 'hang_up', 'danger')];
  const title = ringing ? (from === me.name ? 'Your phone is being called' : from ? `${from} asks for you` : 'A call for you')
    : ended ? 'The call is over' : asked ? `${from} asks you` : 'Your call';
  at('work').hidden = false;
  at('offer').className = ringing ? 'card offer ringing' : 'card offer';
  at('offer').setAttribute('role', ringing ? 'alert' : 'region');
  at('offer').replaceChildren(
    make('h2', { id: 'offer-title' }, title),
    make('p', { class: 'call-line' }, `${LANGUAGES[language]} · ${topic ?? queue}`),
    make('dl', { class: 'facts' }, make('dt', {}, 'Call'), make('dd', {}, String(call)), make('dt', {}, 'Queue'), make('dd', {}, queue),
      make('dt', {}, 'Waited'), make('dd', {}, clock(waited_ms))),
    make('div', { class: 'row' }, ...buttons),
    ...(ringing || ended || asked ? [] : callControls(desk.offer)),
    make('details', { open }, make('summary', {}, 'Why you?'), make('p', {}, reasonInWords(why)), make('ul', {}, ...why.verdicts.map(verdictInWords))));
}

/** What an operator may do with the resident on the line; while somebody is asked, what may become of that. */
function callControls({ call, held, third }) {
  const act = (text, message) => make('button', { type: 'button', onclick: () => say({ call, ...message }) }, text);
  if (third) {
    const words = { asking: 'They are being called; the resident hears music.', consulting: 'The resident hears music.', conference: 'All three talk.' };
    return [make('p', { class: 'muted' }, words[third]), make('div', { class: 'row' },
      act('Hand over', { type: 'complete_consult' }), third === 'consulting' ? act('All three', { type: 'conference' }) : null,
      act('Back to the resident', { type: 'end_consult' }))];
  }
  const field = make('input', { id: 'whom', list: 'whom-known', value: desk.whom, autocomplete: 'off', maxlength: 40, 'aria-label': 'Operator, queue, service or number',
    placeholder: 'Operator, queue or number', oninput: (event) => { desk.whom = event.target.value; } });
  const known = make('datalist', { id: 'whom-known' }, ...[...desk.operators, ...desk.queues].map((name) => make('option', { value: name })));
  const to = (type, key) => make('button', { type: 'button', onclick: () => { if (field.value.trim()) say({ type, call, [key]: whom(field.value.trim()) }); } },
    type === 'consult' ? 'Ask' : 'Transfer');
  return [make('div', { class: 'row' }, held ? act('Resume', { type: 'resume' }) : act('Hold', { type: 'hold' })),
    make('div', { class: 'row' }, field, known, to('consult', 'with'), to('transfer', 'to'))];
}

/** What was typed: somebody known by name, a number, or a service of the dialplans. */
function whom(text) {
  if (desk.operators.includes(text)) return { operator: text };
  if (desk.queues.includes(text)) return { queue: text };
  return /^\+?[\d\s()-]{4,}$/.test(text) ? { number: text } : { service: text };
}

/** A number to call, while no call is up. */
function callOut() {
  const field = make('input', { type: 'tel', maxlength: 20, autocomplete: 'off', 'aria-label': 'Number to call', placeholder: 'Number' });
  const call = () => { if (field.value.trim()) say({ type: 'call_out', number: field.value.trim(), queue: null, shown: null }); };
  return [field, make('button', { type: 'button', onclick: call }, 'Call')];
}

const isOver = () => desk.offer.ended || desk.state?.state === 'wrap_up';

const skillName = (skill) => LANGUAGES[skill] ?? skill;

function reasonInWords({ rule, needed, verdicts }) {
  if (rule === 'AskedFor') return 'You were asked for by name.';
  const able = verdicts.filter(([, verdict]) => verdict.Chosen || verdict.Eligible).length;
  const what = needed.length ? ` with ${needed.map(skillName).join(', ')}` : '';
  return able > 1 ? `Of ${able} free operators${what} you were free the longest.` : `You were the only free operator${what}.`;
}

function verdictInWords([name, verdict]) {
  const words = verdict.Chosen ? `free for ${clock(verdict.Chosen.idle_ms)}, chosen`
    : verdict.Eligible ? `free for ${clock(verdict.Eligible.idle_ms)}`
    : verdict.Lacks ? `free, but without ${verdict.Lacks.skills.map(skillName).join(', ')}`
    : verdict.NotReady ? (STATES[verdict.NotReady.state] ?? verdict.NotReady.state).toLowerCase() : 'not asked';
  return make('li', {}, `${name}: ${words}`);
}

function drawStory() {
  const story = desk.story;
  if (!story) return at('story').replaceChildren(make('p', { class: 'empty' }, 'Looking up…'));
  const earlier = story.calls.filter((call) => call.id !== desk.offer?.call);
  const list = (items, draw, none) => (items.length ? make('ul', { class: 'lines' }, ...items.map(draw)) : make('p', { class: 'empty' }, none));
  at('story').replaceChildren(...[
    make('p', { class: 'number' }, story.number ?? 'Number withheld'),
    story.name ? make('p', {}, story.name) : null,
    story.callbacks ? make('p', {}, mark('not_responding', `${story.callbacks} callback owed`)) : null,
    make('p', { class: 'sub' }, 'Open cases'),
    list(story.cases, (one) => make('li', {}, make('strong', {}, one.number), make('span', {}, one.topic), make('span', { class: 'muted' }, dayAndTime(one.registered_ms))), 'None.'),
    make('p', { class: 'sub' }, 'Earlier calls'),
    list(earlier, (one) => make('li', {}, make('span', {}, dayAndTime(one.started_ms)), make('span', {}, one.topic ?? one.number ?? ''),
      make('span', { class: 'muted' }, one.agent ?? ENDINGS[one.end_reason] ?? '')), 'The first call.'),
  ].filter(Boolean));
}

// --- the case: what is typed survives a reload, and is sent until it has a number ------------------------------------------------

const draftKey = () => `case-${desk.offer?.call}`;

function startCase(offer) {
  const kept = JSON.parse(sessionStorage.getItem(draftKey()) ?? 'null');
  at('topic').value = kept?.topic ?? offer.topic ?? '';
  at('text').value = kept?.text ?? '';
  at('case-form').dataset.draft = kept?.draft ?? newDraft();
  at('saved').textContent = '';
}

const newDraft = () => `${Date.now()}-${Math.random().toString(36).slice(2)}`;

function keepCase() {
  const draft = { topic: at('topic').value, text: at('text').value, draft: at('case-form').dataset.draft };
  sessionStorage.setItem(draftKey(), JSON.stringify(draft));
}

function sendCase() {
  if (!desk.offer || !at('case-form').reportValidity()) return;
  keepCase();
  at('saved').textContent = '';
  say({ type: 'write_case', call: desk.offer.call, topic: at('topic').value, text: at('text').value, draft: at('case-form').dataset.draft });
}

function caseSaved({ draft, number }) {
  if (at('case-form').dataset.draft !== draft) return;
  at('saved').textContent = `Saved: ${number}`;
  desk.story?.cases.unshift({ number, topic: at('topic').value, registered_ms: now() });
  drawStory();
  at('text').value = '';
  at('case-form').dataset.draft = newDraft();
  sessionStorage.removeItem(draftKey());
}

function notice(text) {
  at('notice').hidden = !text;
  at('notice').textContent = text ?? '';
}

function linked(up, text) {
  at('link').textContent = up ? '' : text ?? 'The connection is lost; trying again…';
  at('link').classList.toggle('lost', !up);
}

// --- who is here --------------------------------------------------------------------------------------------------------------

function showLogin() {
  me = null;
  desk.ended = true;
  document.querySelector('.top').hidden = at('board').hidden = at('desk').hidden = true;
  at('login').hidden = false;
  at('name').focus();
}

/** The tree of topics for the case's form; without it the topic of the call still stands there. */
async function loadTopics() {
  const answer = await fetch('/api/topics').catch(() => null);
  if (!answer?.ok) return;
  const language = navigator.language.slice(0, 2);
  at('topics').replaceChildren(...(await answer.json()).map(({ id, names }) => make('option', { value: id }, names[language] ?? names.en ?? id)));
}

function showPage(user) {
  loadTopics();
  me = user;
  at('login').hidden = true;
  document.querySelector('.top').hidden = at('board').hidden = false;
  at('who').textContent = `${me.name} · ${me.role}`;
  at('desk').hidden = me.role !== 'operator';
  if (me.role === 'operator') {
    desk.ended = false;
    openDesk();
  } else if (['organisation', 'city'].includes(me.role)) {
    notice('The board is for those who work in the centre. The register answers at /api/cases.');
  } else {
    const live = new EventSource('/api/live');
    live.onopen = () => linked(true);
    live.onerror = async () => {
      linked(false);
      const answer = await fetch('/api/me').catch(() => null);
      if (answer?.status === 401) { live.close(); showLogin(); }
    };
    live.onmessage = ({ data }) => drawBoard(JSON.parse(data).board);
  }
}

async function login(event) {
  event.preventDefault();
  const typed = { name: at('name').value, password: at('password').value };
  const answer = await fetch('/api/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(typed) }).catch(() => null);
  at('password').value = '';
  if (answer?.ok) {
    at('login-error').textContent = '';
    showPage(await answer.json());
  } else {
    const told = await answer?.json().catch(() => null);
    at('login-error').textContent = told ? `${told.what[0].toUpperCase()}${told.what.slice(1)}. ${told.mend}` : 'The server does not answer. Try again.';
  }
}

async function signOut() {
  desk.ended = true;
  await fetch('/api/logout', { method: 'POST' }).catch(() => null);
  location.reload();
}

/** One key answers; by its place on the keyboard, so that it works in every layout. */
function keyPressed(event) {
  if (event.ctrlKey && event.key === 'Enter' && event.target.closest?.('#case-form')) return sendCase();
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches?.('input, textarea') || !desk.offer) return;
  const { call, ringing } = desk.offer;
  if (ringing && event.code === 'KeyA') say({ type: 'accept', call });
  if (ringing && event.code === 'KeyD') say({ type: 'decline', call });
  if (!ringing && !isOver() && event.code === 'KeyE') say({ type: 'hang_up', call });
}

document.addEventListener('keydown', keyPressed);
at('login-form').addEventListener('submit', login);
at('sign-out').addEventListener('click', signOut);
at('case-form').addEventListener('submit', (event) => { event.preventDefault(); sendCase(); });
at('case-form').addEventListener('input', keepCase);
fetch('/api/me').then(async (answer) => (answer.ok ? showPage(await answer.json()) : showLogin())).catch(showLogin);
