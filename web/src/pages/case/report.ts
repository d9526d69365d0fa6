// What did the resident report? The words of a registration hold text, address and name as one JSON; all others are plain. Pure.
import type { Shape } from '../../api/client';

export interface Report {
  text: string;
  address: string;
  resident: string;
}

interface Written {
  text?: unknown;
  address?: Shape<'Address'> | null;
  resident?: Shape<'ResidentWords'> | null;
}

export function report(words: string): Report {
  const written = parsed(words);
  if (typeof written?.text !== 'string') return { text: words, address: '', resident: '' };
  const { address, resident } = written;
  return {
    text: written.text,
    address: [address?.street, address?.house, address?.flat].filter(Boolean).join(', '),
    resident: [resident?.name, resident?.number].filter(Boolean).join(', '),
  };
}

function parsed(words: string): Written | null {
  if (!words.startsWith('{')) return null;
  try { return JSON.parse(words) as Written; } catch { return null; }
}
