// Which residents wait for a word? Callbacks that are owed, calls about incidents, control calls; looked at again while somebody looks.
import { api, ask, type Shape } from '../api/client';
import { desk } from './desk.svelte';

const EVERY_MS = 30_000;

class Tasks {
  callbacks = $state.raw<Shape<'Callback'>[]>([]);
  toMake = $state.raw<Shape<'CallToMake'>[]>([]);
  control = $state.raw<Shape<'ControlCall'>[]>([]);

  get count(): number {
    return this.toMake.length + this.control.length;
  }

  /** From a component: looked at while it is there, and anew after each call. */
  follow() {
    $effect(() => {
      void desk.state.doing;
      void this.look();
      const timer = setInterval(() => void this.look(), EVERY_MS);
      return () => clearInterval(timer);
    });
  }

  async look() {
    const [callbacks, toMake, control] = await Promise.all([
      ask(api.GET('/api/callbacks')),
      ask(api.GET('/api/calls-to-make')),
      ask(api.GET('/api/register/control-calls', { params: { query: { limit: 50 } } })),
    ]);
    this.callbacks = callbacks.data?.filter(({ done_ms }) => done_ms === null || done_ms === undefined) ?? this.callbacks;
    this.toMake = toMake.data ?? this.toMake;
    this.control = control.data ?? this.control;
  }

  async callbackDone(call: number) {
    await ask(api.POST('/api/callbacks/{call}/done', { params: { path: { call } } }));
    await this.look();
  }

  async callMade(id: number) {
    await ask(api.POST('/api/calls-to-make/{id}/done', { params: { path: { id } } }));
    await this.look();
  }
}

export const tasks = new Tasks();
