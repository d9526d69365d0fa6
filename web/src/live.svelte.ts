// How does the centre stand at this moment? The board as the server sends it, one stream for all who look.
import type { Shape } from './api/client';
import { clock } from './clock.svelte';

class Live {
  board = $state.raw<Shape<'BoardView'> | null>(null);
  /** The stream is down; the browser tries again by itself. */
  lost = $state(false);
  #followers = 0;
  #source: EventSource | null = null;

  /** From a component: the stream is open while the component is there. */
  follow() {
    $effect(() => {
      if (this.#followers++ === 0) this.#open();
      return () => {
        if (--this.#followers === 0) this.#close();
      };
    });
  }

  /** A board that came another way: on the desk's own socket. */
  take(board: Shape<'BoardView'>) {
    clock.set(board.at_ms);
    this.board = board;
  }

  #open() {
    this.#source = new EventSource('/api/live');
    this.#source.onopen = () => { this.lost = false; };
    this.#source.onerror = () => { this.lost = true; };
    this.#source.onmessage = ({ data }: MessageEvent<string>) => this.take((JSON.parse(data) as { board: Shape<'BoardView'> }).board);
  }

  #close() {
    this.#source?.close();
    this.#source = null;
    this.lost = false;
  }
}

export const live = new Live();
