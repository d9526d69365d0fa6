// Why did the call come to me? The server's explanation in words.
import { duration } from '../texts/figures';
import { t } from '../texts/texts.svelte';
import { look } from '../agent_states';
import type { Explanation, Verdict } from './messages';
import { skillName } from './names';

export function inWords({ rule, needed, verdicts }: Explanation): string {
  if (rule === 'AskedFor') return t('why-asked-for');
  const able = verdicts.filter(([, verdict]) => 'Chosen' in verdict || 'Eligible' in verdict).length;
  const skills = needed.map(skillName).join(', ');
  if (able <= 1) return skills ? t('why-only-one-with', { skills }) : t('why-only-one');
  return skills ? t('why-longest-with', { n: able, skills }) : t('why-longest', { n: able });
}

export function verdictInWords(verdict: Verdict): string {
  if ('Chosen' in verdict) return t('verdict-chosen', { time: duration(verdict.Chosen.idle_ms) });
  if ('Eligible' in verdict) return t('verdict-eligible', { time: duration(verdict.Eligible.idle_ms) });
  if ('Lacks' in verdict) return t('verdict-lacks', { skills: verdict.Lacks.skills.map(skillName).join(', ') });
  return t(look(verdict.NotReady.state).text);
}
