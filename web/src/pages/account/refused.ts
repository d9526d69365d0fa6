// Why was a way to sign in not changed? In the words of one's own account, where the name is not asked for.
import type { Failure } from '../../api/client';
import { words } from '../../api/failure';
import { t } from '../../texts/texts.svelte';

export function refused(failure: Failure): string {
  if (failure.refusal?.error === 'wrong_password') return t('account-wrong-password');
  if (failure.refusal?.error === 'conflict') return t('factor-on-already');
  return words(failure);
}
