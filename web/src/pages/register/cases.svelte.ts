// Which cases does a view hold? A page of them, and those behind it as far as somebody reads.
import { Asked } from '../../api/asked.svelte';
import { api, ask, type Shape } from '../../api/client';
import { goesOn, toFilter, type View } from './view';

/** Cases that are read at once. */
const PAGE = 100;

export class Cases {
  more = $state.raw<Shape<'CaseView'>[]>([]);
  first: Asked<Shape<'CaseView'>[]>;
  ended = $state(false);
  readonly #view: () => View;

  constructor(view: () => View) {
    this.#view = view;
    this.first = new Asked(() => this.#page());
  }

  async again() {
    await this.first.again();
    this.more = [];
    this.ended = (this.first.data?.length ?? 0) < PAGE || !goesOn(this.#view());
  }

  async readOn() {
    const last = this.more.at(-1) ?? this.first.data?.at(-1);
    const { data } = await this.#page(last?.id);
    if (!data) return;
    this.more = [...this.more, ...data];
    this.ended = data.length < PAGE;
  }

  #page(before?: number) {
    const view = this.#view();
    const limit = view.text.trim() ? 50 : PAGE;
    return ask(api.GET('/api/cases', { params: { query: { ...toFilter(view), limit, ...(before === undefined ? {} : { before }) } } }));
  }
}
