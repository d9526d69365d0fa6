// How is something called that the settings or the server name by a code? By its text, else as it is.
import { t, texts } from '../texts/texts.svelte';

const named = (id: string, code: string): string => (texts.has(id) ? t(id) : code);

/** Fluent ids have no other signs. */
const asId = (code: string): string => code.replace(/[^A-Za-z0-9_-]/g, '-');

export const reasonName = (code: string): string => named(`pause-reason-${asId(code)}`, code);
export const queueName = (code: string): string => named(`queue-name-${asId(code)}`, code);
export const stateName = (code: string): string => named(`case-state-${asId(code)}`, code);
export const endingName = (code: string): string => named(`ending-${asId(code)}`, code);
export const speaks = (code: string): string => named(`language-${asId(code)}`, code);
export const groupName = (code: string): string => named(`protected-${asId(code)}`, code);
/** A skill is a language or a subject, which is named as its queue. */
export const skillName = (code: string): string => (texts.has(`language-${asId(code)}`) ? speaks(code) : queueName(code));
