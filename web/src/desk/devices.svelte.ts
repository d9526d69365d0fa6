// Which microphone, headset and ring device? Chosen once; a device that is unplugged falls back to the usual one. At another computer the one of the same name is taken.
import { preferences } from '../preferences';

export type Use = 'microphone' | 'headset' | 'ring';

/** A device as it was chosen: browsers give it another id on each computer, the name stays. */
interface Chosen {
  id: string;
  label: string;
}

/** Names in the browser's store and in the preferences. */
const KEY = 'devices';
const VOLUME = 'ring-volume';
const USUAL_VOLUME = 0.6;
const KINDS: Record<Use, MediaDeviceKind> = { microphone: 'audioinput', headset: 'audiooutput', ring: 'audiooutput' };

class Devices {
  all = $state.raw<MediaDeviceInfo[]>([]);
  chosen = $state.raw<Partial<Record<Use, Chosen>>>(known(parsed(localStorage.getItem(KEY))));
  /** 0 to 1. */
  ringVolume = $state(loudness(parsed(localStorage.getItem(VOLUME))));
  #listening = false;

  /** Whether sound can go out by another device than the usual one. */
  readonly canRoute = typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;

  constructor() {
    preferences.follow(KEY, (kept) => this.#choose(known(kept)));
    preferences.follow(VOLUME, (kept) => this.#ring(loudness(kept)));
  }

  /** Names are told once the microphone was allowed. */
  async look() {
    if (!navigator.mediaDevices) return;
    this.all = await navigator.mediaDevices.enumerateDevices();
    if (this.#listening) return;
    this.#listening = true;
    navigator.mediaDevices.addEventListener('devicechange', () => void this.look());
  }

  of(use: Use): MediaDeviceInfo[] {
    return this.all.filter((device) => device.kind === KINDS[use] && device.deviceId !== '' && device.deviceId !== 'default');
  }

  /** The chosen device, if it is plugged in; empty for the usual one. */
  id(use: Use): string {
    const wanted = this.chosen[use];
    if (!wanted) return '';
    const here = this.of(use);
    const found = here.find(({ deviceId }) => deviceId === wanted.id) ?? here.find(({ label }) => label !== '' && label === wanted.label);
    return found?.deviceId ?? '';
  }

  /** An empty id: the usual one. */
  choose(use: Use, id: string) {
    const { [use]: _, ...others } = this.chosen;
    const label = this.of(use).find(({ deviceId }) => deviceId === id)?.label ?? '';
    this.#choose(id ? { ...others, [use]: { id, label } } : others);
    preferences.keep(KEY, this.chosen);
  }

  setRingVolume(volume: number) {
    this.#ring(volume);
    preferences.keep(VOLUME, volume);
  }

  #choose(chosen: Partial<Record<Use, Chosen>>) {
    this.chosen = chosen;
    localStorage.setItem(KEY, JSON.stringify(chosen));
  }

  #ring(volume: number) {
    this.ringVolume = volume;
    localStorage.setItem(VOLUME, String(volume));
  }
}

const loudness = (kept: unknown): number => (typeof kept === 'number' && kept >= 0 && kept <= 1 ? kept : USUAL_VOLUME);

/** What was kept by another version, or is none of ours, is left out. */
function known(kept: unknown): Partial<Record<Use, Chosen>> {
  if (typeof kept !== 'object' || kept === null) return {};
  const sound = (one: unknown): one is Chosen => typeof one === 'object' && one !== null && 'id' in one && 'label' in one;
  return Object.fromEntries(Object.entries(kept).filter(([use, one]) => use in KINDS && sound(one)));
}

function parsed(text: string | null): unknown {
  try { return JSON.parse(text ?? 'null'); } catch { return null; }
}

export const devices = new Devices();
