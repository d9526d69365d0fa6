// What does it say, in the language of whoever sits here? Texts by their id; dates and figures as the language writes them.
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';

import { preferences } from '../preferences';
import en from './en.ftl?url';
import kk from './kk.ftl?url';
import ru from './ru.ftl?url';
import uk from './uk.ftl?url';

export const LANGUAGES = ['kk', 'ru', 'uk', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Arguments = Record<string, FluentVariable>;

const FILES: Record<Language, string> = { kk, ru, uk, en };
const KEY = 'language';

/** Dates and figures: day before month and 24 hours in all four. */
const LOCALES: Record<Language, string> = { kk: 'kk-KZ', ru: 'ru-RU', uk: 'uk-UA', en: 'en-GB' };

class Texts {
  language = $state<Language>('en');
  #bundle = $state.raw(new FluentBundle('en'));

  /** The language that was chosen here, else the browser's, else English. */
  async begin() {
    const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
    const known = wanted.flatMap((tag) => LANGUAGES.filter((language) => language === tag));
    await this.#load(known[0] ?? 'en');
    preferences.follow(KEY, (kept) => {
      const language = LANGUAGES.find((known) => known === kept);
      if (language && language !== this.language) void this.#use(language);
    });
  }

  async choose(language: Language) {
    preferences.keep(KEY, language);
    await this.#use(language);
  }

  /** The text of an id; the id itself where there is none, which the parity test keeps from happening. */
  say(id: string, args?: Arguments): string {
    const pattern = this.#bundle.getMessage(id)?.value;
    return pattern ? this.#bundle.formatPattern(pattern, args ?? null) : id;
  }

  /** Whether there is a text of this id: for codes of a newer server. */
  has(id: string): boolean {
    return this.#bundle.hasMessage(id);
  }

  get locale(): string {
    return LOCALES[this.language];
  }

  async #use(language: Language) {
    localStorage.setItem(KEY, language);
    await this.#load(language);
  }

  async #load(language: Language) {
    const answer = await fetch(FILES[language]);
    const bundle = new FluentBundle(LOCALES[language], { useIsolating: false });
    bundle.addResource(new FluentResource(await answer.text()));
    this.#bundle = bundle;
    this.language = language;
    document.documentElement.lang = language;
  }
}

export const texts = new Texts();

/** The text of an id. */
export const t = (id: string, args?: Arguments): string => texts.say(id, args);
