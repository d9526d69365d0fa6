// Why did the call come to me? The server's explanation in words.
import { duration } from '../texts/figures';
import { t } from '../texts/texts.svelte';
import { look } from '../agent_states';
import type { Explanation, Verdict } from './messages';
import { skillName } from './names';

const WHY = { MostSkilled: 'why-most-skilled', FewestCalls: 'why-fewest-calls', RoundRobin: 'why-in-turn' } as const;

export function inWords({ rule, needed, verdicts }: Explanation): string {
  if (rule === 'AskedFor') return t('why-asked-for');
  const able = verdicts.filter(([, verdict]) => 'Chosen' in verdict || 'Eligible' in verdict).length;
  const skills = needed.map(skillName).join(', ');
  if (rule === 'LastOperator') return t('why-last-operator');
  if (able <= 1) return skills ? t('why-only-one-with', { skills }) : t('why-only-one');
  if (rule !== 'LongestIdle') return t(WHY[rule], { n: able });
  return skills ? t('why-longest-with', { n: able, skills }) : t('why-longest', { n: able });
}

export function verdictInWords(verdict: Verdict): string {
  if ('Chosen' in verdict) return t('verdict-chosen', { time: duration(verdict.Chosen.idle_ms) });
  if ('Eligible' in verdict) return t('verdict-eligible', { time: duration(verdict.Eligible.idle_ms) });
  if ('Lacks' in verdict) return t('verdict-lacks', { skills: verdict.Lacks.skills.map(skillName).join(', ') });
  if ('BelowLevel' in verdict) {
    return t('verdict-below', { skills: Object.entries(verdict.BelowLevel.levels).map(([skill, level]) => `${skillName(skill)} ${level}`).join(', ') });
  }
  if ('OffShift' in verdict) return t('verdict-off-shift');
  if ('ByOrder' in verdict) return t('verdict-by-order');
  if ('NotInQueue' in verdict) return t('verdict-not-in-queue');
  return t(look(verdict.NotReady.state).text);
}
