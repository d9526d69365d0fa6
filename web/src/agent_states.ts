// How does each state of an operator look? Its colour, picture and word, the same on every screen.
import type { LucideIcon } from '@lucide/svelte';
import BellRing from '@lucide/svelte/icons/bell-ring';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleOff from '@lucide/svelte/icons/circle-off';
import Coffee from '@lucide/svelte/icons/coffee';
import Ear from '@lucide/svelte/icons/ear';
import PenLine from '@lucide/svelte/icons/pen-line';
import Phone from '@lucide/svelte/icons/phone';
import PhoneMissed from '@lucide/svelte/icons/phone-missed';
import Users from '@lucide/svelte/icons/users';

interface Look {
  kind: 'good' | 'warn' | 'bad' | 'info' | 'quiet';
  icon: LucideIcon;
  text: string;
}

export const AGENT_STATES = {
  offline: { kind: 'quiet', icon: CircleOff, text: 'agent-offline' },
  ready: { kind: 'good', icon: CircleCheck, text: 'agent-ready' },
  offered: { kind: 'warn', icon: BellRing, text: 'agent-offered' },
  talking: { kind: 'info', icon: Phone, text: 'agent-talking' },
  wrap_up: { kind: 'info', icon: PenLine, text: 'agent-wrap-up' },
  paused: { kind: 'quiet', icon: Coffee, text: 'agent-paused' },
  not_responding: { kind: 'bad', icon: PhoneMissed, text: 'agent-not-responding' },
  supervising: { kind: 'info', icon: Ear, text: 'agent-supervising' },
  internal: { kind: 'info', icon: Users, text: 'agent-internal' },
} as const satisfies Record<string, Look>;

export type AgentState = keyof typeof AGENT_STATES;

/** How a state of the server's words looks; one that a newer server knows, as offline. */
export const look = (state: string): Look => (state in AGENT_STATES ? AGENT_STATES[state as AgentState] : AGENT_STATES.offline);
