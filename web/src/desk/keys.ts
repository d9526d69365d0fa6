// Which key does what? Bound by its place on the keyboard (`event.code`), so that it is the same key in every layout.

/** Single letters work outside of fields, and everywhere together with Alt. */
export type Action =
  | 'accept' | 'decline' | 'hold' | 'mute' | 'transfer' | 'consult' | 'end' | 'digits' | 'recording' | 'help' | 'warn' | 'extend' | 'ready' | 'done'
  | 'note' | 'case' | 'tasks' | 'call_out' | 'state' | 'keys' | 'context';

export interface Binding {
  action: Action;
  code: string;
  /** Id of the text that says it. */
  text: string;
}

export const BINDINGS: readonly Binding[] = [
  { action: 'accept', code: 'KeyA', text: 'key-accept' },
  { action: 'decline', code: 'KeyX', text: 'key-decline' },
  { action: 'hold', code: 'KeyH', text: 'key-hold' },
  { action: 'mute', code: 'KeyM', text: 'key-mute' },
  { action: 'transfer', code: 'KeyT', text: 'key-transfer' },
  { action: 'consult', code: 'KeyO', text: 'key-consult' },
  { action: 'digits', code: 'KeyK', text: 'key-digits' },
  { action: 'recording', code: 'KeyR', text: 'key-recording' },
  { action: 'help', code: 'KeyS', text: 'key-help' },
  { action: 'warn', code: 'KeyW', text: 'key-warn' },
  { action: 'end', code: 'KeyE', text: 'key-end' },
  { action: 'note', code: 'KeyL', text: 'key-note' },
  { action: 'case', code: 'KeyC', text: 'key-case' },
  { action: 'context', code: 'KeyI', text: 'key-context' },
  { action: 'extend', code: 'KeyV', text: 'key-extend' },
  { action: 'done', code: 'KeyG', text: 'key-done' },
  { action: 'ready', code: 'KeyG', text: 'key-ready' },
  { action: 'state', code: 'KeyP', text: 'key-pause' },
  { action: 'call_out', code: 'KeyN', text: 'key-call-out' },
  { action: 'tasks', code: 'KeyB', text: 'key-tasks' },
  { action: 'keys', code: 'Slash', text: 'key-keys' },
];

export const codeOf = (action: Action): string => BINDINGS.find((binding) => binding.action === action)?.code ?? '';

interface Pressed {
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}

/** What a pressed key asks for, in the order of the table; several where one key means one thing now and another later. */
export function actionsOf(pressed: Pressed, { typing, letters }: { typing: boolean; letters: boolean }): Action[] {
  if (pressed.ctrlKey || pressed.metaKey || pressed.repeat) return [];
  if (!pressed.altKey && (typing || !letters)) return [];
  if (pressed.shiftKey && pressed.code !== 'Slash') return [];
  return BINDINGS.filter(({ code }) => code === pressed.code).map(({ action }) => action);
}

/** A field in which letters are letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}
