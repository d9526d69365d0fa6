// Which resident sits here? Known by their number and a code that reached it; no name, no password.
import { api, ask, type Failure, type Shape } from '../../api/client';

class Resident {
  /** Nothing while nobody knows yet. */
  known = $state(false);
  me = $state.raw<Shape<'Cabinet'> | null>(null);

  /** Asked by hand: a refusal is the usual answer, and ends nobody's session. */
  async begin() {
    const answer = await fetch('/api/cabinet/me').catch(() => null);
    this.me = answer?.ok ? ((await answer.json()) as Shape<'Cabinet'>) : null;
    this.known = true;
  }

  async enter(number: string, code: string): Promise<Failure | null> {
    const { data, failure } = await ask(api.POST('/api/cabinet/login', { body: { number, code } }));
    if (data) this.me = data;
    return failure;
  }

  async leave() {
    await ask(api.POST('/api/cabinet/logout'));
    this.me = null;
  }
}

export const resident = new Resident();
