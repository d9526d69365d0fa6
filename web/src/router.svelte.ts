// Where are we? The browser's address, without loading anything anew; each page is loaded when it is first opened.
import type { Component } from 'svelte';

import { fits, type Params } from './router';
import { routes, type Route } from './routes';

export interface Place {
  route: Route;
  params: Params;
}

/** A page of the table: it is given `params`, and need not take them. */
export type PageComponent = Component<any>;

class Router {
  path = $state('/');
  query = $state.raw(new URLSearchParams());

  begin() {
    this.#read();
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#clicked(event));
  }

  /** The page of the address; nothing for an address that nobody knows. */
  get place(): Place | null {
    for (const route of routes) {
      const params = fits(route.path, this.path);
      if (params) return { route, params };
    }
    return null;
  }

  go(address: string, { replace = false } = {}) {
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.#read();
    scrollTo(0, 0);
  }

  #read() {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  /** Plain clicks on links to our own pages. */
  #clicked(event: MouseEvent) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download') || link.pathname.startsWith('/api/')) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
