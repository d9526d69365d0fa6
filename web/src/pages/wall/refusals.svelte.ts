// Was a state that I ordered refused? Told to whoever ordered it, once, while the wallboard is open.
import { live } from '../../live.svelte';
import { toasts } from '../../parts/toasts.svelte';
import { session } from '../../session.svelte';
import { steering } from '../../steering';
import { t } from '../../texts/texts.svelte';

/** From a component. What was refused before it opened is in the list of orders. */
export function tellsRefusals() {
  let since: number | null = null;
  $effect(() => {
    const board = live.board;
    if (!board) return;
    const from = since ?? board.at_ms;
    const mine = steering(board).refused.filter(({ at_ms, by }) => at_ms > from && by === session.me?.name);
    for (const { operator, why } of mine) toasts.say('bad', t('order-refused', { name: operator, why: t(`order-void-${why}`) }));
    since = board.at_ms;
  });
}
