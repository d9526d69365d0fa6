// What does the form of an action hold, and what is asked of the server for it? Pure.
import type { Shape } from '../../api/client';
import type { Wish } from './actions';

export interface Form {
  words: string;
  organisation: string;
  rule: string;
  /** As `datetime-local` writes it. */
  until: string;
  photos: string[];
  outcome: Shape<'ControlOutcome'>;
  topic: string;
  kind: string;
  priority: string;
  district: string;
}

export const EMPTY: Form = { words: '', organisation: '', rule: '', until: '', photos: [], outcome: 'no_answer', topic: '', kind: '', priority: '', district: '' };

export function wanted(wish: Wish, form: Form): Shape<'Act'> {
  const words = form.words.trim() || null;
  switch (wish) {
    case 'forward': return { do: wish, organisation: form.organisation, words };
    case 'pause': return { do: wish, rule: form.rule, until: new Date(form.until).getTime(), words };
    case 'finish': return { do: wish, photos: form.photos, words };
    case 'control_call': return { do: wish, outcome: form.outcome, words };
    case 'correct': return { do: wish, ...changed(form), words };
    default: return { do: wish, words };
  }
}

function changed({ topic, kind, priority, district }: Form) {
  return {
    topic: topic || null,
    kind: (kind || null) as Shape<'Kind'> | null,
    priority: (priority || null) as Shape<'Priority'> | null,
    district: district || null,
  };
}
