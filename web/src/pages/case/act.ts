// How is something done to a case? Asked of the server; its refusal comes back as words, and nothing when it is done.
import { api, ask, type Shape } from '../../api/client';
import { toasts } from '../../parts/toasts.svelte';
import { t } from '../../texts/texts.svelte';
import { refused } from './refused';

export async function act(number: string, body: Shape<'Act'>): Promise<string> {
  const { failure } = await ask(api.POST('/api/cases/{number}/act', { params: { path: { number } }, body }));
  if (failure) return refused(failure);
  toasts.say('good', t(`acted-${body.do}`, { number }));
  return '';
}
