// Light or dark? As the system says, until somebody chooses.
import { preferences } from './preferences';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'theme';

class ThemeChoice {
  chosen = $state<Theme>('system');

  begin() {
    this.#use(localStorage.getItem(KEY));
    preferences.follow(KEY, (kept) => this.#use(kept));
  }

  choose(theme: Theme) {
    this.#use(theme);
    preferences.keep(KEY, theme);
  }

  #use(wanted: unknown) {
    const theme = THEMES.find((known) => known === wanted) ?? 'system';
    this.chosen = theme;
    localStorage.setItem(KEY, theme);
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }
}

export const theme = new ThemeChoice();
