// What do state classes want of a browser? A place that keeps texts, and an address.

class Kept implements Storage {
  [key: string]: unknown;
  get length() { return Object.keys(this).length; }
  clear() { for (const key of Object.keys(this)) delete this[key]; }
  getItem(key: string) { const kept = this[key]; return typeof kept === 'string' ? kept : null; }
  key(at: number) { return Object.keys(this)[at] ?? null; }
  removeItem(key: string) { delete this[key]; }
  setItem(key: string, text: string) { this[key] = text; }
}

globalThis.localStorage = new Kept();
globalThis.sessionStorage = new Kept();
globalThis.location = { origin: 'http://desk' } as Location;
