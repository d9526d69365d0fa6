// What happened, in a sentence? One event of a case in the language of the screen.
import type { Shape } from '../../api/client';
import { moment } from '../../texts/figures';
import { t } from '../../texts/texts.svelte';
import { names } from '../parts/names.svelte';

type What = Shape<'What'>;

export function said(what: What): string {
  switch (what.what) {
    case 'registered': return t('said-registered', { channel: t(`channel-${what.channel}`), kind: t(`kind-${what.kind}`), topic: names.topic(what.topic) });
    case 'forwarded': return t('said-forwarded', { organisation: names.organisation(what.organisation), due: moment(what.promise.resolution_due) });
    case 'paused': return t('said-paused', { rule: names.pause(what.rule), until: moment(what.until), due: moment(what.resolution_due) });
    case 'resumed': return t('said-resumed', { due: moment(what.resolution_due) });
    case 'control_called': return t(`said-control-${what.outcome}`);
    case 'reopened': return t('said-reopened', { due: moment(what.promise.resolution_due) });
    case 'corrected': return t('said-corrected', { changes: changes(what) });
    case 'linked': return t('said-linked', { incident: what.incident.replace(/\D/g, '') });
    case 'unlinked': return t('said-unlinked', { incident: what.incident.replace(/\D/g, '') });
    case 'escalated': return t('said-escalated', { promise: t(`promise-${what.clock}`), step: what.step, to: told(what.to) });
    default: return t(`said-${what.what}`);
  }
}

function changes(what: Extract<What, { what: 'corrected' }>): string {
  return [
    what.topic && names.topic(what.topic),
    what.kind && t(`kind-${what.kind}`),
    what.priority && t(`priority-${what.priority}`),
    what.district && names.district(what.district),
  ].filter(Boolean).join(', ');
}

const TOLD: Record<string, string> = { supervisors: 'told-supervisors', supervisor: 'told-supervisors', city: 'told-city', head: 'told-head', organisation: 'told-organisation' };
const told = (to: string) => (TOLD[to] ? t(TOLD[to]) : names.organisation(to));
