// How does this person want the screens, at whatever computer? Kept at the server, told at sign-in; what is chosen before that counts from then on.

/** What is kept; the server does not look inside. */
export type Kept = Record<string, unknown>;

/** A slider that is dragged is told once. */
const RESTS_MS = 600;

export class Preferences {
  #kept: Kept = {};
  #hear = new Map<string, (value: unknown) => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Nobody is signed in. */
  #away = true;
  readonly #tell: (kept: Kept) => void;

  constructor(tell: (kept: Kept) => void = put) {
    this.#tell = tell;
  }

  /** Who is told what was chosen elsewhere under this name: at each sign-in, and at once where somebody is signed in. */
  follow(name: string, hear: (value: unknown) => void) {
    this.#hear.set(name, hear);
    if (!this.#away && name in this.#kept) hear(this.#kept[name]);
  }

  /** Somebody signed in. `fresh`: just now, so that what was chosen on the page before is theirs. */
  take(kept: Kept, fresh: boolean) {
    const chosen = fresh ? this.#kept : {};
    this.#away = false;
    this.#kept = { ...kept, ...chosen };
    for (const [name, hear] of this.#hear) if (name in kept && !(name in chosen)) hear(kept[name]);
    if (Object.keys(chosen).length) this.#later();
  }

  /** Something was chosen by hand. */
  keep(name: string, value: unknown) {
    this.#kept = { ...this.#kept, [name]: value };
    if (!this.#away) this.#later();
  }

  /** They sign out: what waits is told while the session holds. */
  leave() {
    if (this.#timer !== undefined) this.#now();
    this.#away = true;
    this.#kept = {};
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), RESTS_MS);
  }

  #now() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell(this.#kept);
  }
}

/** What the server could not keep stays in this browser; it is told again with the next choice. */
function put(preferences: Kept) {
  void fetch('/api/me', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ preferences }), keepalive: true }).catch(() => {});
}

export const preferences = new Preferences();
