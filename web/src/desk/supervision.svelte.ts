// How does a supervisor come to a talk, and go on in it? Each step has the reason with which they came.
import { desk } from './desk.svelte';
import type { CallId, Supervision as Mode } from './messages';

class Supervision {
  /** Why the talk that is on is attended. */
  reason = $state('');
  /** Taken over as soon as its sound is there. */
  #takes: CallId | null = null;

  come(call: CallId, mode: Mode, reason: string) {
    // A talk that could not be taken over is not taken over by a later step.
    this.#takes = null;
    this.reason = reason;
    void desk.attend({ type: 'monitor', call, mode, reason });
  }

  /** Whoever is not in the talk yet comes to it first: a talk is taken over with the sound that is there. */
  takeOver(call: CallId, reason: string) {
    this.reason = reason;
    if (desk.supervision?.call === call) return desk.wish({ type: 'take_over', call, reason });
    this.#takes = call;
    void desk.attend({ type: 'monitor', call, mode: 'monitor', reason });
  }

  /** The talk is attended from here on. */
  came() {
    const call = desk.supervision?.call;
    if (call === undefined || call !== this.#takes) return;
    this.#takes = null;
    desk.wish({ type: 'take_over', call, reason: this.reason });
  }

  leave() {
    this.#takes = null;
    if (desk.supervision) desk.wish({ type: 'stop_monitor', call: desk.supervision.call });
  }
}

export const supervision = new Supervision();
