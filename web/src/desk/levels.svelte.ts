// How loud are both sides? Looked at ten times a second while somebody looks.
import { desk } from './desk.svelte';

const EVERY_MS = 100;

class Levels {
  me = $state(0);
  them = $state(0);
  #followers = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** From a component: looked at while the component is there. */
  follow() {
    $effect(() => {
      if (this.#followers++ === 0) this.#timer = setInterval(() => this.#look(), EVERY_MS);
      return () => { if (--this.#followers === 0) clearInterval(this.#timer); };
    });
  }

  #look() {
    const { me, them } = desk.softphone.sound();
    [this.me, this.them] = [me, them];
  }
}

export const levels = new Levels();
