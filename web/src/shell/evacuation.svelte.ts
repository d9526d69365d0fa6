// Is a supervisor asked whether everybody leaves, or comes back? By the key, or by the button of the wallboard.
import { live } from '../live.svelte';
import { steering } from '../steering';

class Evacuation {
  /** What the open question is about; whatever others order meanwhile does not turn it round. */
  asked = $state<'begin' | 'end' | null>(null);

  ask() {
    this.asked ??= steering(live.board).evacuation ? 'end' : 'begin';
  }
}

export const evacuation = new Evacuation();
