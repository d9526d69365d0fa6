// Which page does an address name? Pure: patterns like /case/:number against paths.

export type Params = Readonly<Record<string, string>>;

/** What the parts of a path are by a pattern; nothing where it does not fit. */
export function fits(pattern: string, path: string): Params | null {
  const [wanted, told] = [parts(pattern), parts(path)];
  if (wanted.length !== told.length) return null;
  const params: Record<string, string> = {};
  for (const [at, name] of wanted.entries()) {
    const part = told[at] ?? '';
    if (name.startsWith(':')) params[name.slice(1)] = decoded(part);
    else if (name !== part) return null;
  }
  return params;
}

const parts = (path: string) => path.split('/').filter((part) => part !== '');

function decoded(part: string): string {
  try { return decodeURIComponent(part); } catch { return part; }
}
