// What is said of a request that failed? What is known by its code in the language of the screen, else the server's own words.
import { t, texts } from '../texts/texts.svelte';
import type { Failure } from './client';

export function words({ status, refusal }: Failure): string {
  if (status === 0) return t('failure-away');
  if (!refusal) return t('failure-other', { status });
  const known = `refusal-${refusal.error}`;
  if (texts.has(known)) return t(known);
  return `${sentence(refusal.what)} ${refusal.mend}`;
}

/** The server's words begin small and end bare. */
export const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?…]$/.test(words) ? '' : '.'}`;
