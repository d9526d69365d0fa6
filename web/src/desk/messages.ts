// What do the page and the server say to each other on the desk's socket?
import type { Shape } from '../api/client';

export type CallId = number;
export type Language = Shape<'Language'>;

/** Whom a call is taken to. */
export type Whom = { queue: string } | { operator: string } | { service: string } | { number: string };

/** What a person wants; the server decides. */
export type Wish =
  | { type: 'ready' }
  | { type: 'pause'; reason: string }
  | { type: 'sign_out' }
  | { type: 'offer_shown'; call: CallId }
  | { type: 'accept'; call: CallId }
  | { type: 'decline'; call: CallId }
  | { type: 'hang_up'; call: CallId }
  | { type: 'wrap_up_done' }
  | { type: 'extend_wrap_up' }
  | { type: 'hold'; call: CallId }
  | { type: 'resume'; call: CallId }
  | { type: 'consult'; call: CallId; with: Whom }
  | { type: 'complete_consult'; call: CallId }
  | { type: 'end_consult'; call: CallId }
  | { type: 'conference'; call: CallId }
  | { type: 'transfer'; call: CallId; to: Whom }
  | { type: 'call_out'; number: string; queue: string | null; shown: string | null }
  | { type: 'ask_help'; call: CallId }
  | { type: 'help_done' }
  | { type: 'warn'; call: CallId }
  | { type: 'end_abuse'; call: CallId; days: number }
  | { type: 'pause_recording'; call: CallId }
  | { type: 'resume_recording'; call: CallId }
  | { type: 'digits'; call: CallId; digits: string }
  | { type: 'save_draft'; draft: string; call?: CallId; content: unknown }
  | { type: 'drop_draft'; draft: string };

/** Everything that the page sends: wishes, and what keeps the line. */
export type FromPage = Wish | { type: 'hello'; last_event: number | null } | { type: 'echo'; n: number } | { type: 'sound'; sdp: string };

export type Doing = 'offline' | 'ready' | 'offered' | 'talking' | 'wrap_up' | 'paused' | 'not_responding' | 'supervising' | 'internal';
export type CallNow =
  | 'connected' | 'held' | 'resumed' | 'ended' | 'asking' | 'consulting' | 'conference' | 'alone' | 'monitor' | 'whisper' | 'barge'
  | 'warned' | 'heard' | 'help_asked' | 'help_over';

export type Verdict = { Chosen: { idle_ms: number } } | { Eligible: { idle_ms: number } } | { Lacks: { skills: string[] } } | { NotReady: { state: string } };
export interface Explanation {
  rule: 'LongestIdle' | 'AskedFor';
  needed: string[];
  verdicts: [string, Verdict][];
}

export interface Offer {
  call: CallId;
  queue: string;
  language: Language;
  topic: string | null;
  waited_ms: number;
  rings_ms: number;
  why: Explanation;
  ringing: boolean;
  /** The colleague who asks, or the operator's own name for a call to a resident. */
  from?: string | null;
  auto_answer?: boolean;
  number?: string | null;
  caller?: string | null;
}

export interface StoryCall {
  id: number;
  number: string | null;
  started_ms: number | null;
  topic: string | null;
  agent: string | null;
  end_reason: string | null;
}
export interface StoryCase {
  number: string;
  topic: string;
  state: string;
  registered_ms: number;
  resolution_due_ms: number;
  organisation?: string | null;
  district?: string | null;
  /** How late it is. */
  overdue_ms?: number | null;
}
export interface StoryResident {
  id: number;
  name: string | null;
  protected?: string | null;
  birth_year?: number | null;
}
export interface NearBy {
  number?: number;
  kind?: string;
  title?: string;
  topic?: string;
  until_ms?: number | null;
}
export interface Story {
  number: string | null;
  name: string | null;
  calls: StoryCall[];
  cases: StoryCase[];
  callbacks: number;
  residents: StoryResident[];
  incidents?: NearBy[];
  notes?: { text: string; at_ms: number; by?: string }[];
  abuse_until_ms?: number | null;
}

export interface Day {
  calls: number;
  talk_ms: number;
  hold_ms: number;
  wrap_up_ms: number;
  handling_ms: number;
  pauses: { reason: string; ms: number }[];
  breaks: { due_ms: number; length_ms: number }[];
  undisposed: CallId[];
  control_calls: number;
  callbacks: number;
}

export interface Draft {
  draft: string;
  call: CallId | null;
  content: unknown;
  at_ms: number;
}

export type ToPage =
  | { type: 'welcome'; operator: string; generation: number; pause_reasons: string[]; now_ms: number }
  | { type: 'state'; state: Doing; reason: string | null; call: CallId | null; since_ms: number; until_ms?: number | null; extendable?: boolean }
  | ({ type: 'offer' } & Offer)
  | { type: 'context'; call: CallId; story: Story }
  | { type: 'offer_gone'; call: CallId }
  | { type: 'call_state'; call: CallId; state: CallNow }
  | { type: 'refused'; what: string; mend: string }
  | { type: 'case_saved'; draft: string; number: string }
  | { type: 'echo'; n: number }
  | { type: 'taken_over' }
  | { type: 'board'; board: Shape<'BoardView'> }
  | { type: 'sound'; sdp: string }
  | { type: 'recording'; call: CallId; paused: boolean }
  | { type: 'draft_saved'; draft: string; at_ms: number }
  | { type: 'drafts'; drafts: Draft[] }
  | ({ type: 'day' } & Day);

/** A message with its number; boards have none. */
export type Frame = ToPage & { event?: number };
