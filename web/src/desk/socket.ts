// How do page and server keep in touch? One WebSocket that comes back by itself, asks again after a gap and answers the server's echoes.
import type { Frame, FromPage, ToPage } from './messages';

export type LinkState =
  | 'connecting'
  | 'up'
  /** Trying again. */
  | 'lost'
  /** Another page of this operator has the desk; this one does not come back by itself. */
  | 'taken_over'
  | 'closed';

/** Between two tries: doubled from the first to the last. */
const RETRY_FIRST_MS = 300;
const RETRY_LAST_MS = 1000;
/** A try that has not opened by then is given up: a network that is cut says nothing. */
const OPENS_WITHIN_MS = 2000;
/** After as many tries in a row without a welcome it may be the session that is over: a refused WebSocket does not say why. */
const ASKS_AFTER = 3;
/** The server asks for an echo every 5 s. */
const SILENT_MS = 8000;

/** What is used of a WebSocket; tests have their own. */
export interface Wire {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Listener {
  /** Everything but what keeps the line. */
  heard(message: ToPage): void;
  changed(state: LinkState): void;
  /** Tried again and again without a welcome. */
  keptOut(): void;
}

export class DeskSocket {
  state: LinkState = 'closed';
  #listener: Listener;
  #make: () => Wire;
  #wire: Wire | null = null;
  #lastEvent = 0;
  #retry = RETRY_FIRST_MS;
  /** Tries since the last welcome. */
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: Listener, make: () => Wire = open) {
    this.#listener = listener;
    this.#make = make;
  }

  /** Opens, or takes the desk back from another page. */
  open() {
    this.close();
    this.#retry = RETRY_FIRST_MS;
    this.#tries = 0;
    this.#try('connecting');
  }

  /** Ends for good. */
  close() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#change('closed');
  }

  /** Whether it went out; what did not is the caller's to keep. */
  send(message: FromPage): boolean {
    if (this.state !== 'up' || !this.#wire) return false;
    try {
      this.#wire.send(JSON.stringify(message));
      return true;
    } catch {
      return false;
    }
  }

  /** The network is said to be back: no need to wait for the next try. */
  wake() {
    if (this.state !== 'lost') return;
    clearTimeout(this.#timer);
    this.#try('lost');
  }

  #try(state: 'connecting' | 'lost') {
    this.#change(state);
    this.#tries += 1;
    this.#lastEvent = 0;
    const wire = this.#make();
    this.#wire = wire;
    wire.onopen = () => this.#expect(SILENT_MS);
    wire.onmessage = ({ data }) => this.#received(data);
    wire.onclose = () => this.#gone();
    this.#expect(OPENS_WITHIN_MS);
  }

  /** Something must be heard within this, else the wire is dead. */
  #expect(ms: number) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#gone(), ms);
  }

  #gone() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#change('lost');
    this.#timer = setTimeout(() => this.#try('lost'), this.#retry);
    this.#retry = Math.min(this.#retry * 2, RETRY_LAST_MS);
    if (this.#tries > 0 && this.#tries % ASKS_AFTER === 0) this.#listener.keptOut();
  }

  #leave() {
    const wire = this.#wire;
    this.#wire = null;
    if (!wire) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }

  #received(text: string) {
    const { event, ...message } = JSON.parse(text) as Frame;
    this.#expect(SILENT_MS);
    if (event !== undefined) {
      if (event !== this.#lastEvent + 1) this.send({ type: 'hello', last_event: this.#lastEvent });
      this.#lastEvent = event;
    }
    if (message.type === 'echo') return void this.send({ type: 'echo', n: message.n });
    if (message.type === 'taken_over') return this.#takenOver();
    if (message.type === 'welcome') {
      this.#retry = RETRY_FIRST_MS;
      this.#tries = 0;
      this.#change('up');
    }
    this.#listener.heard(message);
  }

  #takenOver() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#change('taken_over');
  }

  #change(state: LinkState) {
    if (this.state === state) return;
    this.state = state;
    this.#listener.changed(state);
  }
}

function open(): Wire {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocket(`${scheme}://${location.host}/desk`) as Wire;
}
