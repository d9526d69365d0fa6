// How does each state of a case look? Its colour and picture; its word is the text `case-state-…`.
import type { LucideIcon } from '@lucide/svelte';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleCheckBig from '@lucide/svelte/icons/circle-check-big';
import CirclePause from '@lucide/svelte/icons/circle-pause';
import FilePlus from '@lucide/svelte/icons/file-plus';
import Hammer from '@lucide/svelte/icons/hammer';
import Handshake from '@lucide/svelte/icons/handshake';
import Lock from '@lucide/svelte/icons/lock';
import RotateCcw from '@lucide/svelte/icons/rotate-ccw';
import Send from '@lucide/svelte/icons/send';

interface Look {
  kind: 'good' | 'warn' | 'info' | 'quiet';
  icon: LucideIcon;
}

export const CASE_STATES = ['registered', 'forwarded', 'accepted', 'in_work', 'paused', 'done', 'confirmed', 'closed', 'reopened'] as const;
export type CaseState = (typeof CASE_STATES)[number];

const LOOKS: Record<CaseState, Look> = {
  registered: { kind: 'quiet', icon: FilePlus },
  forwarded: { kind: 'info', icon: Send },
  accepted: { kind: 'info', icon: Handshake },
  in_work: { kind: 'info', icon: Hammer },
  paused: { kind: 'warn', icon: CirclePause },
  done: { kind: 'good', icon: CircleCheck },
  confirmed: { kind: 'good', icon: CircleCheckBig },
  closed: { kind: 'quiet', icon: Lock },
  reopened: { kind: 'warn', icon: RotateCcw },
};

export const isCaseState = (state: string): state is CaseState => CASE_STATES.some((known) => known === state);

/** How a state looks; one that a newer server knows, as registered. */
export const caseLook = (state: string): Look => LOOKS[isCaseState(state) ? state : 'registered'];
