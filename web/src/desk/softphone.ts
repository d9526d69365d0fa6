// How does the page talk and hear? One peer connection that stays from "ready" to the end of the shift; what goes wrong is mended by a new offer.

export type PhoneState =
  | 'off'
  /** The browser asks for the microphone. */
  | 'asking'
  | 'connecting'
  | 'up'
  /** Was up; a new offer is under way. */
  | 'mending'
  /** The microphone was not allowed. */
  | 'denied'
  /** There is no microphone, or no way to use one (an address without TLS). */
  | 'no_microphone';

export interface Sound {
  /** 0 to 1, as loud as it is now. */
  me: number;
  them: number;
}

interface Told {
  /** The description that the server is to answer; false when there is no line to tell it on. */
  offer(sdp: string): boolean;
  /** Whether there is such a line now. */
  linked(): boolean;
  changed(): void;
}

/** A connection that is only disturbed mends itself; after this it gets a new offer. */
const DISTURBED_MS = 1500;
/** An offer that was not answered, or did not connect, is made again. */
const CONNECTS_WITHIN_MS = 4000;

const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

export class Softphone {
  state: PhoneState = 'off';
  muted = false;
  #told: Told;
  #pc: RTCPeerConnection | null = null;
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #mine: AnalyserNode | null = null;
  #theirs: AnalyserNode | null = null;
  #player: HTMLAudioElement | null = null;
  #sink = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The microphone is being asked for. */
  #beginning: Promise<boolean> | null = null;
  /** Counts the ends: what began before one is given back. */
  #ends = 0;
  /** Connections whose offers went out on the wire that stands and were not answered, the first one first. */
  #asked: RTCPeerConnection[] = [];

  constructor(told: Told) {
    this.#told = told;
  }

  get on(): boolean {
    return this.#stream !== null;
  }

  /** Takes the microphone and connects. True once the microphone is there. */
  begin(microphone: string, headset: string): Promise<boolean> {
    if (this.#beginning) return this.#beginning;
    const begun = this.#begin(microphone, headset).finally(() => { if (this.#beginning === begun) this.#beginning = null; });
    return (this.#beginning = begun);
  }

  async #begin(microphone: string, headset: string): Promise<boolean> {
    if (this.on) return this.#speaks || this.useMicrophone(microphone);
    const ends = this.#ends;
    this.#sink = headset;
    this.#change('asking');
    const stream = await this.#take(microphone);
    if (ends !== this.#ends) return giveBack(stream);
    if (typeof stream === 'string') return this.#without(stream);
    this.#has(stream);
    await this.connect();
    return true;
  }

  /** Describes the sound anew and has the server answer: at the beginning, after a lost line, when a connection has failed. */
  async connect() {
    const [track] = this.#stream?.getAudioTracks() ?? [];
    if (!track || !this.#stream) return;
    // Nobody could answer: what is there is kept, and mends itself if the network comes back first.
    if (!this.#told.linked()) return this.#change(this.#pc ? 'mending' : 'connecting');
    this.#change(this.#pc ? 'mending' : 'connecting');
    this.#leaveConnection();
    const pc = new RTCPeerConnection();
    this.#pc = pc;
    pc.ontrack = ({ streams, track: theirs }) => this.#play(streams[0] ?? new MediaStream([theirs]));
    pc.onconnectionstatechange = () => this.#connection(pc);
    const transceiver = pc.addTransceiver(track, { direction: 'sendrecv', streams: [this.#stream] });
    preferTelephone(transceiver);
    await pc.setLocalDescription();
    if (pc !== this.#pc) return;
    if (this.#told.offer(pc.localDescription?.sdp ?? '')) this.#asked.push(pc);
    this.#again(CONNECTS_WITHIN_MS);
  }

  /** The server's answer to the first offer that waits for one; only that to the last offer is of use. */
  async answered(sdp: string) {
    const pc = this.#asked.shift();
    if (!pc || pc !== this.#pc || pc.signalingState !== 'have-local-offer') return;
    await pc.setRemoteDescription({ type: 'answer', sdp }).catch(() => this.#again(0));
  }

  /** The server refuses the first offer that waits. Whether that was the last one. */
  refused(): boolean {
    const pc = this.#asked.shift();
    return pc === undefined || pc === this.#pc;
  }

  /** The wire is lost: what was asked on it is not answered any more. */
  wireLost() {
    this.#asked = [];
  }

  /** The end of the shift: microphone and connection are given back. */
  end() {
    clearTimeout(this.#timer);
    this.#ends += 1;
    this.#beginning = null;
    this.#leaveConnection();
    navigator.mediaDevices?.removeEventListener('devicechange', this.#plugged);
    giveBack(this.#stream);
    this.#stream = null;
    void this.#context?.close();
    this.#context = this.#mine = this.#theirs = null;
    this.muted = false;
    this.#change('off');
  }

  /** The track stays and sends silence. */
  mute(muted: boolean) {
    this.muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#told.changed();
  }

  /** Another microphone, without another connection; what there was stays where there is none. True once one speaks. */
  async useMicrophone(id: string): Promise<boolean> {
    if (!this.on) return false;
    const ends = this.#ends;
    const stream = await this.#take(id);
    if (ends !== this.#ends) return giveBack(stream);
    if (typeof stream === 'string') return this.#speaks || this.#without(stream);
    giveBack(this.#stream);
    this.#has(stream);
    const sender = this.#pc?.getSenders()[0];
    await sender?.replaceTrack(stream.getAudioTracks()[0] ?? null);
    if (ends === this.#ends) await this.#reconnected();
    return true;
  }

  /** The microphone is back: the state is that of the connection again. */
  async #reconnected() {
    const { connectionState } = this.#pc ?? { connectionState: 'failed' };
    if (connectionState === 'connected') this.#change('up');
    else if (connectionState === 'failed' || connectionState === 'closed') await this.connect();
    else this.#change('mending');
  }

  async useHeadset(id: string) {
    this.#sink = id;
    await this.#player?.setSinkId?.(id).catch(() => {});
  }

  /** How loud both sides are at this moment. */
  sound(): Sound {
    return { me: this.muted ? 0 : loudness(this.#mine), them: loudness(this.#theirs) };
  }

  /** A microphone, or why there is none. */
  async #take(id: string): Promise<MediaStream | 'denied' | 'no_microphone'> {
    if (!navigator.mediaDevices) return 'no_microphone';
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...MICROPHONE, ...(id ? { deviceId: { ideal: id } } : {}) } });
      // Unplugged, or taken away in the browser: the microphone is looked for anew.
      stream.getAudioTracks()[0]?.addEventListener('ended', () => { if (stream === this.#stream) void this.useMicrophone(''); });
      return stream;
    } catch (fault) {
      return fault instanceof DOMException && fault.name === 'NotAllowedError' ? 'denied' : 'no_microphone';
    }
  }

  /** Speaks by this microphone from here on, muted if it was. */
  #has(stream: MediaStream) {
    this.#stream = stream;
    for (const track of stream.getAudioTracks()) track.enabled = !this.muted;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#plugged);
    this.#hearMyself();
  }

  /** There is a microphone, and it is plugged in. */
  get #speaks(): boolean {
    return this.#stream?.getAudioTracks()[0]?.readyState === 'live';
  }

  #without(state: 'denied' | 'no_microphone'): false {
    // Plugged in again, it is taken by itself.
    if (this.on) navigator.mediaDevices?.addEventListener('devicechange', this.#plugged);
    this.#change(state);
    return false;
  }

  #plugged = () => void this.useMicrophone('');

  #connection(pc: RTCPeerConnection) {
    if (pc !== this.#pc) return;
    if (pc.connectionState === 'connected') {
      clearTimeout(this.#timer);
      this.#change(this.#speaks ? 'up' : 'no_microphone');
    } else if (pc.connectionState === 'disconnected') {
      this.#change('mending');
      this.#again(DISTURBED_MS);
    } else if (pc.connectionState === 'failed') {
      this.#again(0);
    }
  }

  #again(ms: number) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.connect(), ms);
  }

  #play(stream: MediaStream) {
    const player = (this.#player ??= new Audio());
    player.srcObject = stream;
    player.autoplay = true;
    if (this.#sink) void player.setSinkId?.(this.#sink).catch(() => {});
    void player.play().catch(() => {});
    this.#theirs = this.#analyser(stream);
  }

  #hearMyself() {
    if (this.#stream) this.#mine = this.#analyser(this.#stream);
  }

  #analyser(stream: MediaStream): AnalyserNode {
    this.#context ??= new AudioContext();
    void this.#context.resume();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    return analyser;
  }

  #leaveConnection() {
    const pc = this.#pc;
    this.#pc = null;
    if (!pc) return;
    pc.onconnectionstatechange = pc.ontrack = null;
    pc.close();
    this.#theirs = null;
  }

  #change(state: PhoneState) {
    if (this.state === state) return;
    this.state = state;
    this.#told.changed();
  }
}

/** A microphone that is not wanted any more must not stay open. */
function giveBack(stream: MediaStream | string | null): false {
  if (stream !== null && typeof stream !== 'string') for (const track of stream.getTracks()) track.stop();
  return false;
}

/** G.711 A-law first: the server passes it on as it is. */
function preferTelephone(transceiver: RTCRtpTransceiver) {
  const codecs = RTCRtpReceiver.getCapabilities('audio')?.codecs ?? [];
  const rank = ({ mimeType }: { mimeType: string }) => ['audio/PCMA', 'audio/PCMU'].indexOf(mimeType) >>> 0;
  transceiver.setCodecPreferences([...codecs].sort((one, other) => rank(one) - rank(other)));
}

/** Root mean square of the last moments, from -60 dB (0) to full scale (1). */
function loudness(analyser: AnalyserNode | null): number {
  if (!analyser) return 0;
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  const mean = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(0, Math.min(1, 1 + (10 * Math.log10(mean + 1e-9)) / 60));
}
