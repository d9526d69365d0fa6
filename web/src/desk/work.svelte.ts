// What does this operator have on the desk beside the call? The form, what is open, and what was chosen for good.
import { live } from '../live.svelte';
import { preferences } from '../preferences';
import { session } from '../session.svelte';
import { CaseForm } from './form.svelte';

export type Asking = 'transfer' | 'consult' | 'call_out' | 'digits' | 'abuse' | 'note' | null;
export type Listed = 'callbacks' | 'tasks' | 'drafts' | null;

/** The number under which a case without a call is counted until a call has shown another. */
const USUAL_SERVICE = '109';

class Work {
  /** Which dialog of a call is open. */
  asking = $state<Asking>(null);
  keys = $state(false);
  devices = $state(false);
  states = $state(false);
  listed = $state<Listed>(null);
  /** Single letters act outside of fields (WCAG 2.1.4 wants that they can be switched off). */
  letters = $state(localStorage.getItem('letters') !== 'no');
  #form: CaseForm | null = null;
  #of = '';

  constructor() {
    preferences.follow('letters', (yes) => { if (typeof yes === 'boolean') this.#letters(yes); });
  }

  /** The form of whoever is signed in. */
  get form(): CaseForm | null {
    const name = session.me?.name ?? '';
    if (name !== this.#of) [this.#form, this.#of] = [name ? new CaseForm(name) : null, name];
    return this.#form;
  }

  get service(): string {
    return live.board?.calls[0]?.number ?? live.board?.last[0]?.number ?? USUAL_SERVICE;
  }

  useLetters(yes: boolean) {
    this.#letters(yes);
    preferences.keep('letters', yes);
  }

  #letters(yes: boolean) {
    this.letters = yes;
    localStorage.setItem('letters', yes ? 'yes' : 'no');
  }
}

export const work = new Work();
