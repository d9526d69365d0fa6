// What is asked of the server before a case is saved? As much of the form as says what and where.
import type { Content } from './form.svelte';

export interface Reported {
  topic: string;
  building?: number;
  district?: string;
  priority?: Content['priority'];
}

/** Nothing while there is no topic. */
export function reported({ topic, buildingId, district, priority }: Content): Reported | null {
  if (!topic) return null;
  return { topic, priority, ...(buildingId !== null ? { building: buildingId } : district ? { district } : {}) };
}
