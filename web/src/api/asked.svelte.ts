// Is what a page asked for there yet, or why not? One question; of several answers the newest question's counts.
import type { Failure } from './client';

export type Answer<T> = { data: T; failure: null } | { data: null; failure: Failure };

export class Asked<T> {
  data = $state.raw<T | null>(null);
  failure = $state.raw<Failure | null>(null);
  busy = $state(false);
  #turn = 0;
  readonly #question: () => Promise<Answer<T>>;

  constructor(question: () => Promise<Answer<T>>) {
    this.#question = question;
  }

  /** Asks, or asks anew; what stood there stays until the answer comes. */
  async again(): Promise<void> {
    const turn = ++this.#turn;
    const asked = this.#question();
    this.busy = true;
    const { data, failure } = await asked;
    if (turn !== this.#turn) return;
    this.busy = false;
    this.failure = failure;
    if (!failure) this.data = data;
  }
}
