// Where are screens tried? The built desk in Debian's Chromium, with a made-up server behind it; what breaks its policy is a fault.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContext, type Page, type WebSocketRoute } from 'playwright-core';

import { answers, board, now } from './city';

export const DIST = join(import.meta.dirname, '../../dist');
/** Nobody listens there: every request is answered here. A secure address, so that there is a microphone. */
const ORIGIN = 'http://localhost:9';
export const KINDS: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8', svg: 'image/svg+xml', woff2: 'font/woff2', ftl: 'text/plain; charset=utf-8' };
/** As src/web/guard.rs sets it. */
export const POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; connect-src 'self' ws://localhost:9; font-src 'self'; worker-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** What has not come by then does not come. */
const WAITS_MS = 8000;

export interface Look {
  role?: string | null;
  language?: string;
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
  /** Milliseconds that a page may do nothing: 0 for "reduce". */
  still?: boolean;
}

/** What a path answers when it says no. */
export class Refuses {
  constructor(readonly status: number, readonly error: string) {}
}

/** An open page with its made-up server. */
export class Stage {
  readonly faults: string[] = [];
  /** What the page said on the desk's socket. */
  readonly said: { type: string }[] = [];
  /** What the page asked over HTTP, changes alone. */
  readonly asked: { path: string; body: unknown }[] = [];
  #socket: WebSocketRoute | null = null;
  #event = 0;
  #answers: Record<string, unknown>;
  #board: object = board;
  onopen: () => void = () => {};

  private constructor(readonly context: BrowserContext, readonly page: Page, role: string | null) {
    this.#answers = answers(role);
  }

  /** `more`: what is said when the desk's socket opens, or what the board shows beside the usual. */
  static async open(browser: Browser, path: string, { role = 'operator', language = 'en', theme = 'light', width = 1440, height = 900, still = true }: Look, more?: ((stage: Stage) => void) | object): Promise<Stage> {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: language, timezoneId: 'Asia/Qostanay', reducedMotion: still ? 'reduce' : 'no-preference' });
    context.setDefaultTimeout(WAITS_MS);
    const page = await context.newPage();
    const stage = new Stage(context, page, role);
    if (typeof more === 'function') stage.onopen = () => (more as (stage: Stage) => void)(stage);
    else stage.#board = { ...board, ...more };
    page.on('console', (message) => { if (message.type() === 'error' && !/401/.test(message.text())) stage.faults.push(message.text()); });
    page.on('pageerror', (fault) => stage.faults.push(fault.message));
    await page.clock.setFixedTime(now);
    await page.route(`${ORIGIN}/**`, (route) => stage.#answer(route.request().method(), new URL(route.request().url()).pathname, route.request().postData(), route));
    await page.routeWebSocket(/\/desk$/, (socket) => stage.#attend(socket));
    await page.goto(ORIGIN + path);
    return stage;
  }

  /** A message of the server on the desk's socket. */
  say(message: object) {
    this.#socket?.send(JSON.stringify('board' in message ? message : { event: ++this.#event, ...message }));
  }

  /** From here on a path answers this; a `Refuses` says no. */
  answers(path: string, told: unknown) {
    this.#answers[path] = told;
  }

  /** From here on the board shows this beside the usual; a page that follows it asks again within seconds. */
  shows(more: object) {
    this.#board = { ...this.#board, ...more };
  }

  close = () => this.context.close();

  #attend(socket: WebSocketRoute) {
    this.#socket = socket;
    this.#event = 0;
    socket.onMessage((text) => { this.said.push(JSON.parse(String(text)) as { type: string }); });
    this.onopen();
    this.say({ type: 'board', board: this.#board });
  }

  async #answer(method: string, path: string, body: string | null, route: Parameters<Parameters<Page['route']>[1]>[0]) {
    if (path.startsWith('/api/')) {
      if (method !== 'GET') this.asked.push({ path, body: body ? JSON.parse(body) : null });
      if (path === '/api/live') return route.fulfill({ contentType: 'text/event-stream', body: `data: ${JSON.stringify({ type: 'board', board: this.#board })}\n\n` });
      // Where a path is asked in two ways, its answers stand under both.
      const key = `${method} ${path}` in this.#answers ? `${method} ${path}` : path;
      const told = key in this.#answers ? this.#answers[key] : [];
      if (told instanceof Refuses) return route.fulfill({ status: told.status, json: { error: told.error, what: 'it is refused', mend: 'Do it otherwise.' } });
      return told === undefined ? route.fulfill({ status: 401, json: { error: 'sign_in', what: 'x', mend: 'x' } }) : route.fulfill({ json: told });
    }
    const file = join(DIST, existsSync(join(DIST, path)) && path !== '/' ? path : 'index.html');
    return route.fulfill({ body: readFileSync(file), contentType: KINDS[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream', headers: { 'content-security-policy': POLICY } });
  }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
