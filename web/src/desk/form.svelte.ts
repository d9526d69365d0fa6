// What is being written down? The form of a call, kept in this browser with each letter, so that nothing that was typed is lost.
import { api, ask, type Failure, type Shape } from '../api/client';
import type { CallId } from './messages';

export type Disposition = Shape<'Disposition'>;
export const DISPOSITIONS: readonly Disposition[] = ['case', 'consultation', 'case_asked', 'handed_on', 'wrong_number', 'silent', 'other'];
export const PRIORITIES = ['normal', 'high', 'urgent'] as const;

/** Before the operator's name and the draft's in the browser's store. */
const FORM = 'form ';
/** As long as the server keeps drafts. */
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** What a form holds, as it is kept. */
export interface Content {
  draft: string;
  call: CallId | null;
  /** The city's number that was called: the service of a case without a call. */
  service: string;
  topic: string;
  street: string;
  streetId: number | null;
  house: string;
  flat: string;
  buildingId: number | null;
  district: string;
  text: string;
  priority: Shape<'Priority'>;
  disposition: Disposition;
  article: number | null;
  /** The incident that it is another report of. */
  incident: number | null;
  changedAt: number;
}

export interface Saved {
  number: string;
  at: number;
  /** The incident that it belongs to now; `failed`: it should and does not. */
  incident: { n: number; failed: boolean } | null;
}

/** Where forms are kept; tests have their own. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

export function blank(call: CallId | null, topic: string | null, service: string): Content {
  return {
    draft: newDraft(), call, service, topic: topic ?? '', street: '', streetId: null, house: '', flat: '', buildingId: null, district: '', text: '',
    priority: 'normal', disposition: 'case', article: null, incident: null, changedAt: 0,
  };
}

/** 128 random bits; `randomUUID` is there on secure addresses alone. */
const newDraft = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Whether somebody has written anything. */
export const isBegun = (content: Content): boolean => content.text.trim() !== '' || content.street.trim() !== '';

export class CaseForm {
  content = $state<Content>(blank(null, null, ''));
  saved = $state.raw<Saved | null>(null);
  /** The contact is counted: what came of the call is known. */
  counted = $state(false);
  busy = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** Forms that were begun and not finished, the last one first. */
  shelf = $state.raw<Content[]>([]);
  #kept: Shelf;
  #operator: string;
  /** Told of every form that is kept here (with its content) or given up (without). */
  onkept: (draft: string, content: Content | null) => void = () => {};

  constructor(operator: string, kept: Shelf = localStorage) {
    this.#operator = operator;
    this.#kept = kept;
    this.shelf = this.#read();
  }

  /** The form of a call: the one that was begun in it, else a new one. What was on the screen goes onto the shelf. */
  open(call: CallId, topic: string | null, service: string) {
    if (this.content.call === call) return;
    this.#putOnShelf();
    this.#show(this.shelf.find((form) => form.call === call) ?? blank(call, topic, service));
  }

  /** The call is over and wrapped up: what is being written stays, what is done or was never begun goes. */
  leaveCall() {
    if (this.content.call === null || (isBegun(this.content) && !this.saved && !this.counted)) return;
    this.#show(blank(null, null, this.content.service));
  }

  /** A form from the shelf, to be finished. */
  take(draft: string) {
    const form = this.shelf.find((form) => form.draft === draft);
    if (!form) return;
    this.#putOnShelf();
    this.#show(form);
  }

  /** A form without a call. */
  anew(service: string) {
    this.#putOnShelf();
    this.#show(blank(null, null, service));
  }

  /** Keeps what is typed. */
  change(change: Partial<Content>) {
    Object.assign(this.content, change, { changedAt: Date.now() });
    this.saved = null;
    this.keep();
  }

  keep() {
    if (!isBegun(this.content)) return;
    this.#kept.setItem(this.#key(this.content.draft), JSON.stringify(this.content));
    this.onkept(this.content.draft, this.content);
  }

  /** Forms of this operator that were begun at another computer. */
  adopt(contents: readonly unknown[]) {
    const known = new Set([this.content.draft, ...this.shelf.map((form) => form.draft)]);
    const others = contents.filter(isContent).filter((form) => !known.has(form.draft) && isBegun(form));
    this.shelf = [...this.shelf, ...others].sort((one, other) => other.changedAt - one.changedAt);
  }

  throwAway(draft: string) {
    this.#kept.removeItem(this.#key(draft));
    this.onkept(draft, null);
    this.shelf = this.shelf.filter((form) => form.draft !== draft);
    if (this.content.draft === draft) this.#show(blank(null, null, this.content.service));
  }

  /** What is missing before the case can be registered, as ids of fields. */
  get missing(): ('topic' | 'text')[] {
    return (['topic', 'text'] as const).filter((field) => this.content[field].trim() === '');
  }

  /** Registers the case, or counts what else came of the call. Sent again, it is the same case. */
  async save(): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    const done = this.content.disposition === 'case' ? await this.#register() : await this.#count();
    this.busy = false;
    return done;
  }

  async #register(): Promise<boolean> {
    const { draft, call, service, topic, text, priority, street, house, flat, streetId, buildingId, district, incident } = this.content;
    const address = street.trim() ? { street: street.trim(), house: house.trim() || null, flat: flat.trim() || null } : null;
    const place = { street: streetId, building: buildingId, district: district || null };
    const { data, failure } = await ask(api.POST('/api/cases', { body: { draft, topic: topic.trim(), text: text.trim(), priority, address, place, ...(call ? { call } : { service }) } }));
    this.failure = failure;
    if (!data) return false;
    this.saved = { number: data.number, at: Date.now(), incident: await join(data.number, incident ?? null) };
    this.counted = true;
    this.#finished(draft);
    return true;
  }

  async #count(): Promise<boolean> {
    const { draft, call, topic, district, disposition, article } = this.content;
    const { data, failure } = await ask(api.POST('/api/contacts', { body: { draft, disposition, call, topic: topic || null, district: district || null, article } }));
    this.failure = failure;
    if (!data) return false;
    this.counted = true;
    this.#finished(draft);
    return true;
  }

  /** The next letter begins another form; what was saved stays on the screen. */
  another() {
    this.#show(blank(this.content.call, null, this.content.service));
  }

  #finished(draft: string) {
    this.#kept.removeItem(this.#key(draft));
    this.shelf = this.shelf.filter((form) => form.draft !== draft);
  }

  #show(content: Content) {
    this.content = { ...content };
    this.saved = null;
    this.counted = false;
    this.failure = null;
  }

  #putOnShelf() {
    this.keep();
    if (isBegun(this.content) && !this.saved && !this.counted) {
      this.shelf = [{ ...this.content }, ...this.shelf.filter((form) => form.draft !== this.content.draft)];
    }
  }

  #read(): Content[] {
    this.#dropOld();
    return keysOf(this.#kept, this.#prefix).flatMap((key) => {
      try { return [JSON.parse(this.#kept.getItem(key) ?? '') as Content]; } catch { return []; }
    }).sort((one, other) => other.changedAt - one.changedAt);
  }

  /** Whoever wrote it: they may never sign in here again, and it is about residents. */
  #dropOld() {
    for (const key of keysOf(this.#kept, FORM)) {
      if (!(changedAt(this.#kept.getItem(key)) > Date.now() - KEPT_MS)) this.#kept.removeItem(key);
    }
  }

  get #prefix(): string { return `${FORM}${this.#operator} `; }
  #key(draft: string): string { return this.#prefix + draft; }
}

/** The case has its number already: an incident that was over meanwhile loses nothing. */
async function join(number: string, n: number | null): Promise<Saved['incident']> {
  if (n === null) return null;
  const { failure } = await ask(api.POST('/api/incidents/{n}/cases', { params: { path: { n } }, body: { number } }));
  return { n, failed: failure !== null };
}

/** What cannot be read was never changed. */
function changedAt(kept: string | null): number {
  try { return Number((JSON.parse(kept ?? '') as Partial<Content>).changedAt); } catch { return 0; }
}

const isContent = (kept: unknown): kept is Content => typeof kept === 'object' && kept !== null && 'draft' in kept && 'text' in kept && 'street' in kept;

const keysOf = (shelf: Shelf, prefix: string): string[] => Object.keys(shelf).filter((key) => key.startsWith(prefix));
