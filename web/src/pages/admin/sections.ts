// What does an administrator decide about? One line a section; its program is loaded when it is opened.
import type { Component } from 'svelte';

export interface Section {
  id: string;
  page: () => Promise<{ default: Component }>;
}

export const SECTIONS: readonly Section[] = [
  { id: 'people', page: () => import('./people/People.svelte') },
  { id: 'operators', page: () => import('./operators/Operators.svelte') },
  { id: 'queues', page: () => import('./queues/Queues.svelte') },
  { id: 'pauses', page: () => import('./queues/PauseReasons.svelte') },
  { id: 'numbers', page: () => import('./queues/Numbers.svelte') },
  { id: 'dialplans', page: () => import('./dialplans/Dialplans.svelte') },
  { id: 'organisations', page: () => import('./organisations/Organisations.svelte') },
  { id: 'routes', page: () => import('./organisations/Routes.svelte') },
  { id: 'rules', page: () => import('./rules/Rules.svelte') },
  { id: 'articles', page: () => import('./articles/Articles.svelte') },
  { id: 'imports', page: () => import('./imports/Imports.svelte') },
  { id: 'accesses', page: () => import('./accesses/Accesses.svelte') },
  { id: 'kiosks', page: () => import('./kiosks/Kiosks.svelte') },
  { id: 'history', page: () => import('./queues/Revisions.svelte') },
];
