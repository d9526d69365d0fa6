// What time is it at the server? One ticking moment that every duration on the screen follows.

const TICK_MS = 250;

class Clock {
  /** Milliseconds since the epoch, by the server's clock. */
  now = $state(Date.now());
  #ahead = 0;

  constructor() {
    setInterval(() => { this.now = Date.now() + this.#ahead; }, TICK_MS);
  }

  /** The server said that this is now. */
  set(server: number) {
    this.#ahead = server - Date.now();
    this.now = server;
  }

  /** This moment, for use outside of a drawing. */
  exact(): number {
    return Date.now() + this.#ahead;
  }
}

export const clock = new Clock();
