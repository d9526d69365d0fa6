// How does a page ask the server? By paths and shapes of its own document; a refusal comes as words and a mend.
import createClient, { type Middleware } from 'openapi-fetch';

import type { components, paths } from './schema';

/** A shape of the document by its name. */
export type Shape<Name extends keyof components['schemas']> = components['schemas'][Name];
export type Role = Shape<'Role'>;
export type Refusal = Shape<'Refusal'>;

/** What a failed request leaves: the server's words, or that it did not answer. */
export interface Failure {
  status: number;
  refusal: Refusal | null;
}

/** Who wants to know that the session is over. */
let signedOut: () => void = () => {};
export const onSignedOut = (hear: () => void) => { signedOut = hear; };

/** A resident's session is not an account's. */
const RESIDENTS = '/api/cabinet/';

/** A password or a code that is wrong ends nobody's session. */
const watch: Middleware = {
  onResponse: async ({ request, response }) => {
    if (response.status !== 401 || new URL(request.url).pathname.startsWith(RESIDENTS)) return;
    const told = (await response.clone().json().catch(() => null)) as Partial<Refusal> | null;
    if (told?.error === 'sign_in') signedOut();
  },
};

/** `fetch` is looked up at each request: tests put a server of their own in its place. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: (request) => globalThis.fetch(request) });
api.use(watch);

type Answered<T> = { data?: T; error?: unknown; response: Response };

/** What was asked for, or why not. A server that is away is a failure too, of status 0. */
export async function ask<T>(request: Promise<Answered<T>>): Promise<{ data: T; failure: null } | { data: null; failure: Failure }> {
  try {
    const { data, error, response } = await request;
    if (response.ok) return { data: data as T, failure: null };
    return { data: null, failure: { status: response.status, refusal: isRefusal(error) ? error : null } };
  } catch {
    return { data: null, failure: { status: 0, refusal: null } };
  }
}

const isRefusal = (told: unknown): told is Refusal =>
  typeof told === 'object' && told !== null && 'error' in told && 'what' in told && 'mend' in told;
