import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { CaseForm } from './form.svelte';

const CREATED = { number: '109-2026-000001' };
let asked: { path: string; body: Record<string, unknown> }[];

function server(answer: () => Response) {
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push({ path: new URL(request.url).pathname, body: (await request.json()) as Record<string, unknown> });
    return answer();
  });
}

const json = (status: number, body: object) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

beforeEach(() => {
  asked = [];
  localStorage.clear();
});
afterEach(() => { vi.unstubAllGlobals(); });

test('what is typed is there again in another page, and gone when it is registered', async () => {
  server(() => json(201, CREATED));
  const form = new CaseForm('me');
  form.open(7, 'heating', '109');
  form.change({ text: 'cold since morning', street: 'Abai' });
  const again = new CaseForm('me');
  again.open(7, null, '109');
  expect(again.content).toMatchObject({ draft: form.content.draft, text: 'cold since morning', topic: 'heating' });
  expect(new CaseForm('somebody else').shelf).toEqual([]);
  expect(await again.save()).toBe(true);
  expect(again.saved?.number).toBe(CREATED.number);
  expect(asked[0]).toMatchObject({ path: '/api/cases', body: { call: 7, topic: 'heating', draft: form.content.draft, address: { street: 'Abai', house: null, flat: null } } });
  expect(new CaseForm('me').shelf).toEqual([]);
});

test('the next call begins a form of its own, and the other waits on the shelf', () => {
  const form = new CaseForm('me');
  form.open(7, 'heating', '109');
  form.change({ text: 'cold' });
  form.open(8, null, '109');
  expect(form.content).toMatchObject({ call: 8, text: '' });
  expect(form.shelf.map(({ call, text }) => [call, text])).toEqual([[7, 'cold']]);
  form.take(form.shelf[0]?.draft ?? '');
  expect(form.content.text).toBe('cold');
});

test('a failure keeps everything, and the second try is the same case', async () => {
  server(() => json(503, { error: 'database_away', what: 'the database does not answer', mend: 'Try again.' }));
  const form = new CaseForm('me');
  form.open(7, 'heating', '109');
  form.change({ text: 'cold' });
  expect(await form.save()).toBe(false);
  expect(form.failure?.refusal?.error).toBe('database_away');
  server(() => json(201, CREATED));
  expect(await form.save()).toBe(true);
  expect(asked[0]?.body.draft).toBe(asked[1]?.body.draft);
});

test('what else came of the call is counted as a contact', async () => {
  server(() => json(201, { counted: true }));
  const form = new CaseForm('me');
  form.open(7, 'roads', '109');
  form.change({ disposition: 'wrong_number' });
  expect(await form.save()).toBe(true);
  expect(asked[0]).toMatchObject({ path: '/api/contacts', body: { call: 7, disposition: 'wrong_number', topic: 'roads' } });
  expect(form.counted).toBe(true);
});

test('a form that is over goes with its call, one that is being written stays', () => {
  const form = new CaseForm('me');
  form.open(7, 'roads', '109');
  form.leaveCall();
  expect(form.content).toMatchObject({ call: null, topic: '' });
  form.open(8, 'roads', '109');
  form.change({ text: 'a hole' });
  form.leaveCall();
  expect(form.content).toMatchObject({ call: 8, text: 'a hole' });
});

test('what was begun more than seven days ago is forgotten, whoever wrote it', () => {
  const days = (number: number) => JSON.stringify({ draft: 'd', text: 'cold', street: '', changedAt: Date.now() - number * 24 * 3600 * 1000 });
  localStorage.setItem('form me old', days(8));
  localStorage.setItem('form me new', days(6));
  localStorage.setItem('form other old', days(8));
  localStorage.setItem('form me broken', '{');
  localStorage.setItem('formality', 'x');
  expect(new CaseForm('me').shelf.length).toBe(1);
  expect(Object.keys(localStorage).sort()).toEqual(['form me new', 'formality']);
});
