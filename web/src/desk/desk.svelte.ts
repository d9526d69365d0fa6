// How does it stand at this desk? What the server said last, and the wishes that go out. It decides nothing.
import { clock } from '../clock.svelte';
import { live } from '../live.svelte';
import { toasts } from '../parts/toasts.svelte';
import { session } from '../session.svelte';
import { texts } from '../texts/texts.svelte';
import { can } from './can';
import { devices } from './devices.svelte';
import type { CallId, CallNow, Day, Doing, Draft, Explanation, Language, Offer, SpeaksBy, Story, Supervision, ToPage, Wish } from './messages';
import { inWords } from './ordered';
import { Outbox, type Kept } from './outbox';
import { Ring } from './ring';
import { DeskSocket, type LinkState, type Wire } from './socket';
import { Softphone, type PhoneState } from './softphone';
import { isOfSound, isWithoutSound, refusalWords } from './refusals';

/** The call at this desk, from its offer to the end of wrap-up. */
export interface Call {
  id: CallId;
  queue: string;
  language: Language;
  topic: string | null;
  number: string | null;
  caller: string | null;
  waitedMs: number;
  why: Explanation;
  from: string | null;
  /** When it came to this desk. */
  offeredAt: number;
  rings: boolean;
  ringsMs: number;
  autoAnswer: boolean;
  /** Nobody is on the line yet: the resident is called once the operator is. */
  callback: { to?: string | null; attempt: number; of: number } | null;
  talksSince: number | null;
  held: boolean;
  heldSince: number | null;
  third: 'asking' | 'consulting' | 'conference' | null;
  ended: boolean;
  recordingPausedAt: number | null;
  warned: boolean;
  helpAsked: boolean;
  story: Story | null;
}

export interface State {
  doing: Doing;
  reason: string | null;
  call: CallId | null;
  since: number;
  until: number | null;
  extendable: boolean;
}

/** This operator had the sound connected in this browser, in whatever tab: kept until they sign out. */
const soundWasOn = (operator: string) => `sound-was-on ${operator}`;

/** The call in which this page is muted. */
const MUTED = 'muted';

/** Somebody may be heard: the sound is wanted whether or not it was on here before. */
const IN_SOUND: readonly Doing[] = ['offered', 'talking', 'internal', 'supervising'];
/** Calls may come as soon as the sound is back, if it was on. After `not_responding` the server makes them ready once it is. */
const SOUND_AS_BEFORE: readonly Doing[] = ['ready', 'wrap_up', 'not_responding'];

/** What is heard sooner after a wish may have been said before the server had the wish. */
const CONFIRMS_AFTER_MS = 1000;

/** How often and after how long ready is said again while the server does not have the page's sound yet. */
const READY_TRIES = 6;
const READY_AGAIN_MS = 300;

/** A recording that is paused goes on by itself after this. */
export const RECORDING_PAUSE_MS = 120_000;

export class Desk {
  link = $state<LinkState>('closed');
  operator = $state('');
  reasons = $state.raw<string[]>([]);
  state = $state.raw<State>({ doing: 'offline', reason: null, call: null, since: Date.now(), until: null, extendable: false });
  call = $state<Call | null>(null);
  day = $state.raw<Day | null>(null);
  drafts = $state.raw<Draft[]>([]);
  phone = $state<PhoneState>('off');
  muted = $state(false);
  /** The talk in which this supervisor takes part, and how. */
  supervision = $state.raw<{ call: CallId; mode: Supervision } | null>(null);
  /** Which supervisors take part in the talk of this desk, and how, as far as that is told. */
  attended = $state.raw<Record<string, Supervision>>({});
  waiting = $state.raw<Kept[]>([]);
  /** A refusal that the person has not put away, and the wish that it answered. */
  refused = $state.raw<{ words: string; wish: Wish | null } | null>(null);
  /** The sound of this page, or a telephone beside the computer: an administrator decides, the server tells. Nothing before it has. */
  speaksBy = $state<SpeaksBy | null>(null);
  /** Ready was asked for before the server had told by what the operator speaks. */
  #readyOnceTold = false;
  #readyTries = 0;
  /** Ready is said once the sound is connected. */
  #readyWithSound = false;
  /** Said once the sound is connected. */
  #onceUp: Wish | null = null;

  readonly softphone: Softphone;
  readonly #ring = new Ring();
  readonly #socket: DeskSocket;
  readonly #outbox = new Outbox();
  #last: { wish: Wish; at: number } | null = null;

  constructor(make?: () => Wire) {
    const listener = { heard: (message: ToPage) => this.heard(message), changed: (state: LinkState) => this.#linked(state), keptOut: () => void session.look() };
    this.#socket = new DeskSocket(listener, make);
    this.softphone = new Softphone({
      offer: (sdp) => this.#socket.send({ type: 'sound', sdp }),
      linked: () => this.#socket.state === 'up',
      changed: () => this.#phoneChanged(),
    });
  }

  begin() {
    if (this.link === 'closed') this.#socket.open();
  }

  end() {
    this.#socket.close();
    this.softphone.end();
    this.#forgetSound();
    this.#ring.stop();
    this.#leaveNothing();
  }

  /** What one person wanted and wrote is not for the next one at this desk. */
  #leaveNothing() {
    this.#outbox.clear();
    this.waiting = [];
    this.#last = this.refused = this.call = this.day = this.speaksBy = null;
    this.#readyOnceTold = this.#readyWithSound = false;
    this.drafts = [];
  }

  takeBack() {
    this.#socket.open();
  }

  wake() {
    this.#socket.wake();
  }

  /** Sends a wish; one that cannot go out is kept and told when the line is back. */
  wish(wish: Wish) {
    const sent = this.#socket.send(wish);
    this.#last = { wish, at: Date.now() };
    this.refused = null;
    if (wish.type !== 'offer_shown') this.#outbox.keep(wish, Date.now(), sent);
    this.waiting = this.#outbox.waiting();
  }

  putAway(id: number) {
    this.#outbox.putAway(id);
    this.waiting = this.#outbox.waiting();
  }

  /** Takes calls: with the sound of this page, or by the telephone. */
  async ready() {
    // Pressed while the page still asks who it speaks for: done as soon as that is told.
    if (this.speaksBy === null) return void (this.#readyOnceTold = true);
    this.#readyOnceTold = false;
    if (this.byTelephone) return this.wish({ type: 'ready' });
    this.#readyWithSound = true;
    await this.#connectSound();
    this.#phoneChanged();
  }

  /** Comes to somebody's talk: with the sound of this page once it is connected, or by the telephone. */
  async attend(wish: Wish) {
    this.#readyTries = 0;
    if (this.byTelephone || this.phone === 'up') return this.wish(wish);
    this.#onceUp = wish;
    await this.#connectSound();
    this.#phoneChanged();
  }

  /** For this call, and through a reload of the page. */
  mute(muted: boolean) {
    const call = this.call?.id ?? this.state.call;
    if (muted && call !== null) sessionStorage.setItem(MUTED, String(call));
    else sessionStorage.removeItem(MUTED);
    this.softphone.mute(muted);
  }

  signOut() {
    this.wish({ type: 'sign_out' });
    this.softphone.end();
    this.#forgetSound();
  }

  /** Keeps a form at the server too, for another computer; here it is kept already, so that nothing waits for the line. */
  keepForm(draft: string, call: CallId | null, content: object) {
    if (can('save_draft')) this.#socket.send({ type: 'save_draft', draft, call, content: content as Record<string, never> });
  }

  dropForm(draft: string) {
    if (can('drop_draft')) this.#socket.send({ type: 'drop_draft', draft });
  }

  /** Answers what rings. */
  accept() {
    if (this.call?.rings) this.wish({ type: 'accept', call: this.call.id });
  }

  /** A note was written of the number that calls: seen at once, as the next operator will see it. */
  noted(id: CallId, note: { id: number; text: string; resident: number | null }) {
    this.#known(id, ({ story }) => { story?.notes.unshift({ ...note, by_name: this.operator, at_ms: clock.exact() }); });
  }

  get byPage(): boolean {
    return this.speaksBy === 'page';
  }

  get byTelephone(): boolean {
    return this.speaksBy === 'telephone';
  }

  get talks(): boolean {
    return this.call !== null && !this.call.rings && !this.call.ended;
  }

  /** What the server says. */
  heard(message: ToPage) {
    // A welcome is the first word of a new wire, and says nothing of what went out on the one before.
    if (message.type !== 'welcome') this.#outbox.heard(Date.now() - CONFIRMS_AFTER_MS);
    switch (message.type) {
      case 'welcome': return this.#welcome(message);
      case 'state': return this.#stateIs(message);
      case 'offer': return this.#offered(message);
      case 'context': return this.#known(message.call, (call) => { call.story = message.story; });
      case 'offer_gone': return this.#known(message.call, (call) => { call.rings = false; this.#quiet(); });
      case 'call_state': return this.#callIs(message.call, message.state);
      case 'supervised': return this.#attended(message);
      case 'refused': return this.#wasRefused(message);
      case 'ordered': return toasts.say('info', texts.say('ordered-told', { name: message.by, what: inWords(message.order), reason: message.reason }));
      case 'board': return live.take(message.board);
      case 'sound': return void this.softphone.answered(message.sdp);
      case 'recording': return this.#known(message.call, (call) => { call.recordingPausedAt = message.paused ? clock.exact() : null; });
      case 'drafts': this.drafts = message.drafts; return;
      case 'draft_saved': case 'case_saved': case 'echo': case 'taken_over': return;
      case 'day': { const { type: _, ...day } = message; this.day = day; return; }
    }
  }

  #welcome(message: Extract<ToPage, { type: 'welcome' }>) {
    clock.set(message.now_ms);
    this.operator = message.operator;
    this.reasons = message.pause_reasons;
    this.speaksBy = message.speaks_by;
    if (this.byTelephone) this.softphone.end();
    for (const wish of this.#outbox.again(Date.now())) this.wish(wish);
    this.waiting = this.#outbox.waiting();
    if (this.softphone.on && this.softphone.state !== 'up') void this.softphone.connect();
    if (this.#readyOnceTold) void this.ready();
  }

  #stateIs({ state, reason, call, since_ms, until_ms, extendable }: Extract<ToPage, { type: 'state' }>) {
    this.state = { doing: state, reason: reason ?? null, call: call ?? null, since: since_ms, until: until_ms ?? null, extendable };
    if (this.call && !this.call.rings && !['offered', 'talking', 'wrap_up', 'internal', 'supervising'].includes(state)) this.call = null;
    if (state === 'wrap_up' && this.call) this.call.ended = true;
    if (state !== 'supervising') this.supervision = null;
    if (state !== 'talking') this.attended = {};
    this.#mutedAsBefore(state, call ?? null);
    this.#soundAgain(state);
  }

  /** A reload finds the call muted as it was; the next caller is spoken to. */
  #mutedAsBefore(doing: Doing, call: CallId | null) {
    const muted = sessionStorage.getItem(MUTED);
    if (muted === null) return;
    if (!IN_SOUND.includes(doing) || (call !== null && muted !== String(call))) this.mute(false);
    else if (!this.softphone.muted) this.softphone.mute(true);
  }

  /** After a reload, and in another tab that took the desk, the sound comes back by itself: somebody may be talking. */
  #soundAgain(doing: Doing) {
    if (!this.byPage || this.phone !== 'off') return;
    const asBefore = SOUND_AS_BEFORE.includes(doing) && localStorage.getItem(soundWasOn(this.operator)) === 'yes';
    if (IN_SOUND.includes(doing) || asBefore) void this.#connectSound();
  }

  #forgetSound() {
    localStorage.removeItem(soundWasOn(this.operator));
  }

  /** With the chosen devices. Their names are told once the microphone was allowed: then it is looked again whether one of them is meant. */
  async #connectSound() {
    await devices.look();
    const before = devices.id('microphone');
    await this.softphone.begin(before, devices.id('headset'));
    await devices.look();
    const [microphone, headset] = [devices.id('microphone'), devices.id('headset')];
    if (microphone !== before) await this.softphone.useMicrophone(microphone);
    if (headset) await this.softphone.useHeadset(headset);
  }

  #offered(offer: Offer) {
    const former = this.call?.id === offer.call ? this.call : null;
    const now = clock.exact();
    this.call = {
      id: offer.call, queue: offer.queue, language: offer.language, topic: offer.topic ?? null, number: offer.number ?? null, caller: offer.calls_from ?? null,
      waitedMs: offer.waited_ms, why: offer.why, from: offer.from ?? null, offeredAt: former?.offeredAt ?? now, rings: offer.ringing, ringsMs: offer.rings_ms,
      autoAnswer: offer.auto_answer, callback: offer.callback ?? null, talksSince: former?.talksSince ?? (offer.ringing ? null : this.state.since), held: former?.held ?? false,
      heldSince: former?.heldSince ?? null, third: former?.third ?? null, ended: former?.ended ?? false, recordingPausedAt: former?.recordingPausedAt ?? null,
      warned: former?.warned ?? false, helpAsked: former?.helpAsked ?? false, story: former?.story ?? null,
    };
    if (offer.ringing && !former?.rings) this.#rings(this.call.autoAnswer);
  }

  #rings(answersItself: boolean) {
    const device = devices.id('ring');
    if (answersItself) this.#ring.beep(devices.ringVolume, device);
    else if (this.byPage) this.#ring.start(devices.ringVolume, device);
  }

  #quiet() {
    this.#ring.stop();
  }

  #known(id: CallId, change: (call: Call) => void) {
    if (this.call?.id === id) change(this.call);
  }

  #attended({ by, how }: Extract<ToPage, { type: 'supervised' }>) {
    const { [by]: _, ...others } = this.attended;
    this.attended = how === 'left' || how === 'took_over' ? others : { ...others, [by]: how };
    if (how === 'took_over') toasts.say('info', texts.say('supervised-took-over', { name: by }));
  }

  #callIs(id: CallId, state: CallNow) {
    if (state === 'monitor' || state === 'whisper' || state === 'barge') return void (this.supervision = { call: id, mode: state });
    const call = this.call?.id === id ? this.call : null;
    if (!call) return;
    const now = clock.exact();
    switch (state) {
      case 'connected':
        this.#quiet();
        Object.assign(call, { rings: false, third: null, held: false, heldSince: null, from: null, talksSince: call.talksSince ?? now });
        return;
      case 'held': Object.assign(call, { held: true, heldSince: now }); return;
      case 'resumed': Object.assign(call, { held: false, heldSince: null }); return;
      case 'asking': case 'consulting': case 'conference': call.third = state; return;
      case 'alone': call.third = null; return;
      case 'warned': call.warned = true; return;
      case 'help_asked': call.helpAsked = true; return;
      case 'help_over': call.helpAsked = false; return;
      case 'ended': this.#quiet(); Object.assign(call, { ended: true, rings: false, third: null, held: false }); return;
      case 'heard': return;
    }
  }

  #wasRefused({ what, mend }: { what: string; mend: string }) {
    // Another offer is under way already: that one counts.
    if (isOfSound(what, mend) && !this.softphone.refused()) return;
    if (isWithoutSound(what) && this.#saidAgain()) return;
    const recent = this.#last && Date.now() - this.#last.at < 5000 ? this.#last.wish : null;
    this.refused = { words: refusalWords(what, mend, texts), wish: recent && /^Try again/.test(mend) ? recent : null };
  }

  /** The page's end of the sound may be up some moments before the server's: what wants it is said again for a while. */
  #saidAgain(): boolean {
    const wish = this.#last?.wish;
    const becomes = wish?.type === 'ready' ? 'ready' : wish?.type === 'monitor' ? 'supervising' : null;
    if (!wish || !becomes || this.phone !== 'up' || this.#readyTries >= READY_TRIES) return false;
    this.#readyTries += 1;
    setTimeout(() => { if (this.phone === 'up' && this.state.doing !== becomes) this.wish(wish); }, READY_AGAIN_MS);
    return true;
  }

  #phoneChanged() {
    this.phone = this.softphone.state;
    this.muted = this.softphone.muted;
    if (this.phone === 'denied' || this.phone === 'no_microphone' || this.phone === 'off') [this.#readyWithSound, this.#onceUp] = [false, null];
    if (this.phone === 'up' && this.#onceUp) {
      this.wish(this.#onceUp);
      this.#onceUp = null;
    }
    if (this.phone === 'up') localStorage.setItem(soundWasOn(this.operator), 'yes');
    if (this.phone === 'up' && this.#readyWithSound) {
      this.#readyWithSound = false;
      this.#readyTries = 0;
      this.wish({ type: 'ready' });
    }
  }

  #linked(state: LinkState) {
    const before = this.link;
    this.link = state;
    if (state !== 'up') { this.#outbox.lost(); this.softphone.wireLost(); }
    this.waiting = this.#outbox.waiting();
    if (before === 'up' && state === 'lost') this.#quiet();
    if (state === 'up' && before === 'lost') toasts.say('good', texts.say('link-back'));
    if (state === 'taken_over') { this.softphone.end(); this.#quiet(); }
  }
}

export const desk = new Desk();
