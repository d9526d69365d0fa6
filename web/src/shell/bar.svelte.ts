// What does the open page put into the top bar? A page may have something that its person must see on every page.
import type { Snippet } from 'svelte';

class Bar {
  /** At the left, before the places to go: the operator's state. */
  first = $state.raw<Snippet | null>(null);
  /** In the middle. */
  middle = $state.raw<Snippet | null>(null);
  /** At the right, before language and name. */
  last = $state.raw<Snippet | null>(null);
}

export const bar = new Bar();
