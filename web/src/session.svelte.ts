// Who is signed in?
import { api, ask, onSignedOut, type Failure, type Shape } from './api/client';
import { preferences } from './preferences';

export type Me = Shape<'Me'>;

class Session {
  me = $state.raw<Me | null>(null);
  /** Who follows the end of the session, to close what belongs to it. */
  #leaving = new Set<() => void>();

  async begin() {
    onSignedOut(() => this.#over());
    // Asked by hand: a refusal is the usual answer here.
    const answer = await fetch('/api/me').catch(() => null);
    if (answer?.ok) this.#is((await answer.json()) as Me, false);
  }

  /** Whether the session holds still: it may have been ended elsewhere, or the account be gone. */
  async look() {
    const answer = await fetch('/api/me').catch(() => null);
    if (answer?.status === 401) this.#over();
  }

  /** `code` is what the telephone shows, for accounts that have a second factor. */
  async signIn(name: string, password: string, code: string): Promise<Failure | null> {
    const { data, failure } = await ask(api.POST('/api/login', { body: { name, password, code: code || null } }));
    if (data) this.#is(data, true);
    return failure;
  }

  async signOut() {
    preferences.leave();
    await ask(api.POST('/api/logout'));
    this.#over();
  }

  /** The account asks for a code from here on. */
  hasFactor() {
    if (this.me) this.me = { ...this.me, second_factor: true };
  }

  onOver(hear: () => void) {
    this.#leaving.add(hear);
  }

  #is(me: Me, fresh: boolean) {
    preferences.take(me.preferences, fresh);
    this.me = me;
  }

  #over() {
    if (!this.me) return;
    preferences.leave();
    for (const hear of this.#leaving) hear();
    this.#leaving.clear();
    this.me = null;
  }
}

export const session = new Session();
