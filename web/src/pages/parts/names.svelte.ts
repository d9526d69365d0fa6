// What are topics, organisations, districts and pauses called, in the language of the screen? Asked once a session.
import { api, ask, type Role, type Shape } from '../../api/client';
import { session } from '../../session.svelte';
import { texts } from '../../texts/texts.svelte';

/** Who may read organisations with all that is known of them: whether they take cases. */
const READS_ORGANISATIONS: readonly Role[] = ['operator', 'quality', 'supervisor', 'administrator', 'city'];

class Names {
  topics = $state.raw<Shape<'Topic'>[]>([]);
  organisations = $state.raw<Shape<'KeptOrganisation'>[]>([]);
  #told = $state.raw<Shape<'RegisterNames'> | null>(null);
  #known = false;

  readonly districts = $derived(Object.entries(this.#told?.districts ?? {}).map(([id, all]) => ({ id, name: named(all) ?? id })));
  readonly pauses = $derived(Object.entries(this.#told?.pauses ?? {}).map(([id, all]) => ({ id, name: named(all) ?? id })));

  /** Asks for them, if nobody has yet. */
  begin() {
    if (this.#known || !session.me) return;
    this.#known = true;
    session.onOver(() => this.#forget());
    void this.again(session.me.role);
  }

  async again(role: Role) {
    const [topics, told, organisations] = await Promise.all([
      ask(api.GET('/api/topics')),
      ask(api.GET('/api/register/names')),
      READS_ORGANISATIONS.includes(role) ? ask(api.GET('/api/organisations')) : null,
    ]);
    if (topics.data) this.topics = topics.data;
    if (told.data) this.#told = told.data;
    if (organisations?.data) this.organisations = organisations.data;
  }

  /** "Heating › A heating pipe leaks" */
  topic(id: string): string {
    const steps = id.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
    return steps.map((step) => this.#topicAlone(step)).join(' › ');
  }

  organisation(id: string | null | undefined): string {
    if (!id) return texts.say('the-centre');
    return this.#told?.organisations[id] ?? id;
  }

  district(id: string | null | undefined): string {
    if (!id) return '–';
    return named(this.#told?.districts[id]) ?? id;
  }

  pause(id: string): string {
    return named(this.#told?.pauses[id]) ?? id;
  }

  #topicAlone(id: string): string {
    return named(this.topics.find((one) => one.id === id)?.names) ?? id.split('/').at(-1) ?? id;
  }

  #forget() {
    this.#known = false;
    [this.topics, this.organisations, this.#told] = [[], [], null];
  }
}

/** A name in the language of the screen, else in any. */
export function named(all: Record<string, string> | null | undefined): string | undefined {
  return all?.[texts.language] ?? all?.ru ?? Object.values(all ?? {})[0];
}

export const names = new Names();
