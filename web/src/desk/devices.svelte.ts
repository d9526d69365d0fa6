// Which microphone, headset and ring device? Chosen once a browser and kept there; a device that is unplugged falls back to the usual one.

export type Use = 'microphone' | 'headset' | 'ring';

const KEY = 'devices';
const KINDS: Record<Use, MediaDeviceKind> = { microphone: 'audioinput', headset: 'audiooutput', ring: 'audiooutput' };

class Devices {
  all = $state.raw<MediaDeviceInfo[]>([]);
  chosen = $state<Partial<Record<Use, string>>>(kept());
  /** 0 to 1. */
  ringVolume = $state(Number(localStorage.getItem('ring-volume') ?? 0.6));
  #listening = false;

  /** Whether sound can go out by another device than the usual one. */
  readonly canRoute = typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;

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
    return wanted && this.of(use).some((device) => device.deviceId === wanted) ? wanted : '';
  }

  choose(use: Use, id: string) {
    this.chosen[use] = id;
    localStorage.setItem(KEY, JSON.stringify(this.chosen));
  }

  setRingVolume(volume: number) {
    this.ringVolume = volume;
    localStorage.setItem('ring-volume', String(volume));
  }
}

function kept(): Partial<Record<Use, string>> {
  try { return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<Use, string>>; } catch { return {}; }
}

export const devices = new Devices();
