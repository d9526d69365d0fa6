// What was opened, in the language of the screen? The record keeps short words of the server; what is not known here stays as it was written. Pure.

export const ACTIONS = ['story', 'recording', 'call', 'callbacks', 'cases', 'addresses', 'evidence', 'residents', 'accounts', 'cabinet', 'supervision'] as const;

type Words = [text: string, args: Record<string, string | number>];

/** By the server's words (`log_access`); parts in parentheses are named in the text's order. */
const PATTERNS: readonly [pattern: RegExp, text: string, names: string[]][] = [
  [/^call (\d+) recording (\d+)$/, 'opened-recording', ['n', 'part']],
  [/^call (\d+), monitor: (.+)$/, 'opened-monitor', ['n', 'reason']],
  [/^call (\d+), whisper: (.+)$/, 'opened-whisper', ['n', 'reason']],
  [/^call (\d+), barge: (.+)$/, 'opened-barge', ['n', 'reason']],
  [/^call (\d+), take over: (.+)$/, 'opened-take-over', ['n', 'reason']],
  [/^call (\d+)$/, 'call-n', ['n']],
  [/^resident (\d+)$/, 'opened-resident', ['n']],
  [/^erasure of resident (\d+)$/, 'opened-resident-erased', ['n']],
  [/^erasure of (\S+)$/, 'opened-case-erased', ['number']],
  [/^note (\d+) taken away$/, 'opened-note-removed', ['n']],
  [/^street (\d+)$/, 'opened-street', ['n']],
  [/^(\d+) owed$/, 'opened-callbacks', ['n']],
  [/^(\d+) calls to make$/, 'opened-calls-to-make', ['n']],
  [/^incident:(\d+) [0-9a-f]{64}$/, 'opened-incident-file', ['n']],
  [/^(\S+) [0-9a-f]{64}$/, 'opened-file', ['number']],
  [/^second factor of (\S+) taken away$/, 'opened-factor-taken', ['name']],
  [/^account (\S+) taken away$/, 'opened-account-taken', ['name']],
  [/^account (\S+) unlocked$/, 'opened-account-unlocked', ['name']],
  [/^control calls$/, 'tasks-control', []],
  [/^overdue$/, 'opened-overdue', []],
  [/^signed in$/, 'opened-signed-in', []],
  [/^cases$/, 'opened-own-cases', []],
];

/** Nothing where the words are not known: a case's number is read as it is. */
export function opened(subject: string): Words | null {
  for (const [pattern, text, names] of PATTERNS) {
    const found = pattern.exec(subject);
    if (found) return [text, Object.fromEntries(names.map((name, at) => [name, found[at + 1] ?? '']))];
  }
  return null;
}
