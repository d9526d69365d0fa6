// When does a list ask anew? At once when what it follows has changed, and once more: what is told is written a moment later.
import { untrack } from 'svelte';

import type { Asked } from '../../api/asked.svelte';

/** By then the server has written what it told. */
const WRITTEN_MS = 2000;

/** From a component: asks at once, and after each change of what `key` reads. */
export function follows(asked: Asked<unknown>, key: () => unknown) {
  const change = $derived(key());
  $effect(() => {
    void change;
    untrack(() => void asked.again());
    const again = setTimeout(() => void asked.again(), WRITTEN_MS);
    return () => clearTimeout(again);
  });
}
