// What was said just now, over the page? Good news goes by itself; what failed stays until it is put away.

export interface Toast {
  id: number;
  kind: 'good' | 'bad' | 'info';
  words: string;
}

const GOES_MS = 6000;
/** More than this at once nobody reads: the oldest goes. */
const MOST = 4;

class Toasts {
  shown = $state<Toast[]>([]);
  #next = 1;

  say(kind: Toast['kind'], words: string) {
    const id = this.#next++;
    const others = this.shown.filter((toast) => toast.words !== words);
    this.shown = [...others, { id, kind, words }].slice(-MOST);
    if (kind !== 'bad') setTimeout(() => this.putAway(id), GOES_MS);
  }

  putAway(id: number) {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
