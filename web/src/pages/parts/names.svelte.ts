// What are topics, organisations and districts called, in the language of the screen? Asked once a session.
import { api, ask, type Role, type Shape } from '../../api/client';
import { session } from '../../session.svelte';
import { texts } from '../../texts/texts.svelte';

/** Who may read the rules, where districts and pauses have their names. */
const READS_RULES: readonly Role[] = ['quality', 'supervisor', 'administrator', 'city'];

class Names {
  topics = $state.raw<Shape<'Topic'>[]>([]);
  organisations = $state.raw<Shape<'KeptOrganisation'>[]>([]);
  book = $state.raw<Shape<'RuleBook'> | null>(null);
  #known = false;

  /** Asks for them, if nobody has yet. */
  begin() {
    if (this.#known || !session.me) return;
    this.#known = true;
    session.onOver(() => this.#forget());
    void this.again(session.me.role);
  }

  async again(role: Role) {
    const [topics, organisations, rules] = await Promise.all([
      ask(api.GET('/api/topics')),
      role === 'organisation' ? null : ask(api.GET('/api/organisations')),
      READS_RULES.includes(role) ? ask(api.GET('/api/register/rules')) : null,
    ]);
    if (topics.data) this.topics = topics.data;
    if (organisations?.data) this.organisations = organisations.data;
    if (rules?.data) this.book = rules.data.book;
  }

  /** "Heating › A heating pipe leaks" */
  topic(id: string): string {
    const steps = id.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
    return steps.map((step) => this.#topicAlone(step)).join(' › ');
  }

  organisation(id: string | null | undefined): string {
    if (!id) return texts.say('the-centre');
    return this.organisations.find((one) => one.id === id)?.name ?? id;
  }

  district(id: string | null | undefined): string {
    if (!id) return '–';
    return named(this.book?.districts?.find((one) => one.id === id)?.names) ?? id;
  }

  pause(id: string): string {
    return named(this.book?.pauses?.[id]?.names) ?? id;
  }

  #topicAlone(id: string): string {
    return named(this.topics.find((one) => one.id === id)?.names) ?? id.split('/').at(-1) ?? id;
  }

  #forget() {
    this.#known = false;
    [this.topics, this.organisations, this.book] = [[], [], null];
  }
}

/** A name in the language of the screen, else in any. */
export function named(all: Record<string, string> | null | undefined): string | undefined {
  return all?.[texts.language] ?? all?.ru ?? Object.values(all ?? {})[0];
}

export const names = new Names();
