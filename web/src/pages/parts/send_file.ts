// How does a photo reach a case? As its bytes, as they are.
import type { Answer } from '../../api/asked.svelte';
import { ask, type Shape } from '../../api/client';

/** The most that the server takes, in bytes. */
export const MOST_BYTES = 10 * 1024 * 1024;
export const PHOTOS = 'image/jpeg,image/png,image/webp,image/heic,application/pdf';

/** Sends a file to an address of the API that takes octets; the answer is what it is called there. */
export function sendFile(address: string, file: Blob): Promise<Answer<Shape<'Attachment'>>> {
  return sendBytes<Shape<'Attachment'>>(address, file);
}

export async function sendBytes<T>(address: string, file: Blob): Promise<Answer<T>> {
  const request = fetch(address, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: file });
  return ask<T>(request.then(async (response) => {
    const told: unknown = await response.json().catch(() => null);
    return response.ok ? { data: told as T, response } : { error: told, response };
  }));
}
