// What did a person want that the server may not have heard? Kept until it has, shown, and told again when the line is back.
import type { Wish } from './messages';

export interface Kept {
  id: number;
  wish: Wish;
  at: number;
  /** It went out on the wire that stands, and nothing has been heard since. */
  sent: boolean;
  /** It went out on a wire that was lost: it may have arrived. */
  perhaps: boolean;
}

/** A wish that is older is no longer what the person wants. */
const STALE_MS = 30_000;
/** More than this at once is a stuck key: the oldest goes. */
const MOST = 20;

/** Told twice, these might do it twice; the server refuses the others the second time. */
const NOT_TWICE: readonly Wish['type'][] = ['call_out', 'digits', 'consult'];

export class Outbox {
  kept: Kept[] = [];
  #next = 1;

  /** A wish that could not be sent, or was just sent. The same one again takes the place of the first. */
  keep(wish: Wish, at: number, sent: boolean): Kept {
    const same = JSON.stringify(wish);
    const kept = { id: this.#next++, wish, at, sent, perhaps: false };
    this.kept = [...this.kept.filter((other) => JSON.stringify(other.wish) !== same), kept].slice(-MOST);
    return kept;
  }

  /** The server has spoken since, on the wire that stands: what went out on it before `at` has arrived. */
  heard(at: number) {
    this.kept = this.kept.filter((kept) => !kept.sent || kept.at > at);
  }

  /** The wire is lost: nobody will know of what went out on it last whether it arrived. */
  lost() {
    this.kept = this.kept.map((kept) => (kept.sent ? { ...kept, sent: false, perhaps: true } : kept));
  }

  /** The line is back: what is to be told again, in its order. What is too old, or must not be told twice, stays in sight. */
  again(now: number): Wish[] {
    const twice = (kept: Kept) => kept.perhaps && NOT_TWICE.includes(kept.wish.type);
    const told = this.kept.filter((kept) => !kept.sent && now - kept.at <= STALE_MS && !twice(kept));
    this.kept = this.kept.filter((kept) => !told.includes(kept));
    return told.map((kept) => kept.wish);
  }

  /** What waits, for the screen. */
  waiting(): Kept[] {
    return this.kept.filter((kept) => !kept.sent);
  }

  clear() {
    this.kept = [];
  }

  putAway(id: number) {
    this.kept = this.kept.filter((kept) => kept.id !== id);
  }
}
