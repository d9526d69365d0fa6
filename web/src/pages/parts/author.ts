// Who did it: a name, and as what?
import type { Shape } from '../../api/client';
import { t } from '../../texts/texts.svelte';
import { names } from './names.svelte';

export function author(by: Shape<'Author'>): { name: string; role: string } {
  switch (by.role) {
    case 'resident': return { name: t('author-resident'), role: '' };
    case 'system': return { name: t('author-system'), role: '' };
    case 'organisation': return { name: names.organisation(by.organisation), role: by.name };
    default: return { name: by.name, role: t(`role-${by.role}`) };
  }
}
