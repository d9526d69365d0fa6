// What is wrong with a new password, before the server is asked? Pure.

/** As the server has it (web/accounts.rs). */
const SHORTEST = 8;
const LONGEST_BYTES = 256;

export type Fault = 'password-too-short' | 'password-too-long' | 'password-same' | 'password-differs';

export function faultOf(old: string, next: string, again: string): Fault | null {
  if ([...next].length < SHORTEST) return 'password-too-short';
  if (new TextEncoder().encode(next).length > LONGEST_BYTES) return 'password-too-long';
  if (next === old) return 'password-same';
  return next === again ? null : 'password-differs';
}
