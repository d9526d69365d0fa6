// Which topics does the city have? The tree, loaded once a session.
import { api, ask } from '../api/client';
import { texts } from '../texts/texts.svelte';
import { pathOf, type Topic } from './topics';

class Topics {
  all = $state.raw<Topic[]>([]);
  #asked = false;

  /** Loads the tree when it is first needed; a server that is away is asked again the next time. */
  load() {
    if (this.#asked) return;
    this.#asked = true;
    void ask(api.GET('/api/topics')).then(({ data }) => {
      if (data) this.all = data;
      else this.#asked = false;
    });
  }
}

export const topics = new Topics();

/** "Heating › No heating in the flat"; the id of an unknown topic, nothing for none. */
export const topicName = (id: string | null): string => (id ? pathOf(id, topics.all, texts.language) : '');
