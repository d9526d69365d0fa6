// What does a key do at this moment? What cannot be done now, does nothing, and another meaning of the key is tried.
import { desk } from './desk.svelte';
import type { Action } from './keys';
import { can } from './can';
import { work } from './work.svelte';

/** Whether it could be done. */
export function act(action: Action): boolean {
  const run = possible(action);
  run?.();
  return run !== null;
}

/** What an action would do now; nothing where it cannot be done. Buttons and keys ask here alike. */
export function possible(action: Action): (() => void) | null {
  const { call, state } = desk;
  const [rings, talks] = [call?.rings === true, desk.talks];
  const alone = talks && call?.third === null && !isAsked();
  const idle = ['ready', 'paused', 'wrap_up'].includes(state.doing);
  switch (action) {
    case 'accept': return rings ? () => desk.accept() : null;
    case 'decline': return rings && call ? () => desk.wish({ type: 'decline', call: call.id }) : null;
    case 'hold': return alone && call ? () => desk.wish({ type: call.held ? 'resume' : 'hold', call: call.id }) : null;
    case 'mute': return talks && desk.softphone.on ? () => desk.mute(!desk.muted) : null;
    case 'transfer': return alone ? () => { work.asking = 'transfer'; } : null;
    case 'consult': return alone ? () => { work.asking = 'consult'; } : null;
    case 'digits': return talks && can('digits') ? () => { work.asking = 'digits'; } : null;
    case 'recording': return talks && call && can('pause_recording') ? () => desk.wish({ type: call.recordingPausedAt ? 'resume_recording' : 'pause_recording', call: call.id }) : null;
    case 'help': return talks && call && can('ask_help') ? () => desk.wish(call.helpAsked ? { type: 'help_done' } : { type: 'ask_help', call: call.id }) : null;
    case 'warn': return alone && can('warn') ? () => { work.asking = 'abuse'; } : null;
    case 'note': return call?.story?.number ? () => { work.asking = 'note'; } : null;
    case 'end': return talks && call ? () => desk.wish({ type: 'hang_up', call: call.id }) : null;
    case 'extend': return state.doing === 'wrap_up' && state.extendable ? () => desk.wish({ type: 'extend_wrap_up' }) : null;
    case 'done': return state.doing === 'wrap_up' ? () => desk.wish({ type: 'wrap_up_done' }) : null;
    case 'ready': return ['offline', 'paused', 'not_responding', 'internal'].includes(state.doing) ? () => void desk.ready() : null;
    case 'call_out': return idle ? () => { work.asking = 'call_out'; } : null;
    case 'state': return () => { work.states = !work.states; };
    case 'tasks': return () => { work.listed = work.listed ? null : 'tasks'; };
    case 'keys': return () => { work.keys = !work.keys; };
    case 'case': return () => focus('case-topic');
    case 'context': return () => focus('context');
  }
}

/** Somebody else asks this operator, about a resident of theirs. */
export const isAsked = (): boolean => desk.call?.from !== null && desk.call?.from !== undefined && desk.call.from !== desk.operator;

export function focus(name: string) {
  const place = document.querySelector<HTMLElement>(`[data-focus="${name}"]`);
  (place?.matches('input, textarea, [tabindex]') ? place : place?.querySelector<HTMLElement>('input, textarea, button'))?.focus();
}
