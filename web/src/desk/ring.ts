// How does a call sound before it is answered? A soft tone of our own, on the ring device; a beep where the call answers itself.

/** Two tones of a bell, a second on and two off. */
const TONES_HZ = [660, 880];
const EVERY_MS = 3000;
const BEEP_HZ = 1000;

export class Ring {
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Rings until `stop`. */
  start(volume: number, device: string) {
    this.stop();
    const ring = () => TONES_HZ.forEach((hz, at) => void this.#tone(hz, at * 0.22, 0.35, volume, device));
    ring();
    this.#timer = setInterval(ring, EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The call answers itself. */
  beep(volume: number, device: string) {
    void this.#tone(BEEP_HZ, 0, 0.12, volume, device);
    void this.#tone(BEEP_HZ, 0.2, 0.12, volume, device);
  }

  async #tone(hz: number, after: number, length: number, volume: number, device: string) {
    const context = (this.#context ??= new AudioContext());
    await context.resume().catch(() => {});
    if ('setSinkId' in context) await (context.setSinkId as (id: string) => Promise<void>)(device).catch(() => {});
    const [from, tone, level] = [context.currentTime + after, context.createOscillator(), context.createGain()];
    tone.frequency.value = hz;
    level.gain.setValueAtTime(0, from);
    level.gain.linearRampToValueAtTime(volume * 0.4, from + 0.015);
    level.gain.exponentialRampToValueAtTime(0.0005, from + length);
    tone.connect(level).connect(context.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}
