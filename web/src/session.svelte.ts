// Who is signed in?
import { api, ask, onSignedOut, type Failure, type Shape } from './api/client';

export type Me = Shape<'Me'>;

class Session {
  me = $state.raw<Me | null>(null);
  /** Who follows the end of the session, to close what belongs to it. */
  #leaving = new Set<() => void>();

  async begin() {
    onSignedOut(() => this.#over());
    // Asked by hand: a refusal is the usual answer here.
    const answer = await fetch('/api/me').catch(() => null);
    if (answer?.ok) this.me = (await answer.json()) as Me;
  }

  /** `code` is what the telephone shows, for accounts that have a second factor. */
  async signIn(name: string, password: string, code: string): Promise<Failure | null> {
    const { data, failure } = await ask(api.POST('/api/login', { body: { name, password, code: code || null } }));
    if (data) this.me = data;
    return failure;
  }

  async signOut() {
    await ask(api.POST('/api/logout'));
    this.#over();
  }

  onOver(hear: () => void) {
    this.#leaving.add(hear);
  }

  #over() {
    if (!this.me) return;
    for (const hear of this.#leaving) hear();
    this.#leaving.clear();
    this.me = null;
  }
}

export const session = new Session();
