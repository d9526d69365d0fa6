// Why did the rules refuse? The server's English sentence in the language of the screen, with what mends it; one that is not known stays as it is.
import { words } from '../../api/failure';
import type { Failure } from '../../api/client';
import { moment } from '../../texts/figures';
import { t, texts } from '../../texts/texts.svelte';
import { names } from '../parts/names.svelte';

const SENTENCES: readonly [RegExp, (parts: string[]) => string][] = [
  [/^a case that is (.+) cannot be (.+)$/, ([state = '']) => t('refused-state', { state: stateWord(state) })],
  [/^the role .+ may not do this/, () => t('refused-role')],
  [/^.+ is missing$/, () => t('refused-words')],
  [/^the organisation (.+) takes no cases$/, ([id]) => t('refused-organisation', { organisation: names.organisation(id) })],
  [/^the case lies with (.+) already$/, ([id]) => t('refused-already', { organisation: names.organisation(id) })],
  [/^no terms are approved/, () => t('refused-terms')],
  [/^the rule (.+) allows a pause until (\d+)/, ([rule = '', until]) => t('refused-pause', { rule: names.pause(rule), until: moment(Number(until)) })],
  [/^the resident may speak until (\d+)/, ([until]) => t('refused-early', { until: moment(Number(until)) })],
  [/^the resident was asked (\d+) times of (\d+)/, ([made = '', needed = '']) => t('refused-not-asked', { made, needed })],
  [/^the correction changes nothing$/, () => t('refused-nothing')],
];

export function refused(failure: Failure): string {
  const what = failure.refusal?.what;
  if (!what) return words(failure);
  for (const [sentence, say] of SENTENCES) {
    const found = sentence.exec(what);
    if (found) return say(found.slice(1));
  }
  return words(failure);
}

function stateWord(word: string): string {
  const id = `case-state-${word.replaceAll(' ', '_')}`;
  return texts.has(id) ? texts.say(id).toLocaleLowerCase(texts.locale) : word;
}
