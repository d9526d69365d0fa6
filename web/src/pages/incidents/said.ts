// What happened to an incident, in a sentence?
import type { Shape } from '../../api/client';
import { moment } from '../../texts/figures';
import { t } from '../../texts/texts.svelte';

export function incidentSaid(what: Shape<'IncidentWhat'>): string {
  switch (what.what) {
    case 'proposed': return t('incident-said-proposed', { cases: what.cases.length });
    case 'published': return t('incident-said-published', { begins: moment(what.begins), ends: moment(what.ends) });
    case 'grown': return t('incident-said-grown', { cases: what.cases.join(', ') });
    case 'parted': return t('incident-said-parted', { cases: what.cases.join(', ') });
    default: return t(`incident-said-${what.what}`);
  }
}
