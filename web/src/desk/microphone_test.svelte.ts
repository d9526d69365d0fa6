// Does the microphone hear me? Looked at without a call, before the shift.
import { devices } from './devices.svelte';

/** Speech is louder than this, a quiet room is not. */
const SPEECH = 0.45;
const EVERY_MS = 60;

export class MicrophoneTest {
  on = $state(false);
  level = $state(0);
  /** Something as loud as speech was heard. */
  heard = $state(false);
  failed = $state(false);
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  async begin() {
    this.end();
    this.heard = this.failed = false;
    const id = devices.id('microphone');
    const stream = await navigator.mediaDevices?.getUserMedia({ audio: id ? { deviceId: { ideal: id } } : true }).catch(() => null);
    if (!stream) { this.failed = true; return; }
    await devices.look();
    this.#stream = stream;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.on = true;
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const mean = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.level = Math.max(0, Math.min(1, 1 + (10 * Math.log10(mean + 1e-9)) / 60));
      if (this.level > SPEECH) this.heard = true;
    }, EVERY_MS);
  }

  end() {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#stream = this.#context = null;
    this.on = false;
    this.level = 0;
  }
}
