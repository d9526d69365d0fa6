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

  constructor(told: Told) {
    this.#told = told;
  }

  get on(): boolean {
    return this.#stream !== null;
  }

  /** Takes the microphone and connects. True once the microphone is there. */
  async begin(microphone: string, headset: string): Promise<boolean> {
    if (this.on) return true;
    this.#sink = headset;
    this.#change('asking');
    const stream = await this.#take(microphone);
    if (!stream) return false;
    this.#stream = stream;
    this.#hearMyself();
    await this.connect();
    return true;
  }

  /** Describes the sound anew and has the server answer: at the beginning, after a lost line, when a connection has failed. */
  async connect() {
    const [track] = this.#stream?.getAudioTracks() ?? [];
    if (!track || !this.#stream) return;
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
    this.#told.offer(pc.localDescription?.sdp ?? '');
    this.#again(CONNECTS_WITHIN_MS);
  }

  /** The server's answer to the last offer. */
  async answered(sdp: string) {
    const pc = this.#pc;
    if (pc?.signalingState !== 'have-local-offer') return;
    await pc.setRemoteDescription({ type: 'answer', sdp }).catch(() => this.#again(0));
  }

  /** The end of the shift: microphone and connection are given back. */
  end() {
    clearTimeout(this.#timer);
    this.#leaveConnection();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
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

  /** Another microphone, without another connection. */
  async useMicrophone(id: string) {
    if (!this.on) return;
    const stream = await this.#take(id);
    const [track] = stream?.getAudioTracks() ?? [];
    if (!stream || !track) return;
    for (const old of this.#stream?.getTracks() ?? []) old.stop();
    this.#stream = stream;
    track.enabled = !this.muted;
    await this.#pc?.getSenders()[0]?.replaceTrack(track);
    this.#hearMyself();
  }

  async useHeadset(id: string) {
    this.#sink = id;
    await this.#player?.setSinkId?.(id).catch(() => {});
  }

  /** How loud both sides are at this moment. */
  sound(): Sound {
    return { me: this.muted ? 0 : loudness(this.#mine), them: loudness(this.#theirs) };
  }

  async #take(id: string): Promise<MediaStream | null> {
    if (!navigator.mediaDevices) return this.#without('no_microphone');
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...MICROPHONE, ...(id ? { deviceId: { ideal: id } } : {}) } });
      // Unplugged, or taken away in the browser: the microphone is looked for anew.
      stream.getAudioTracks()[0]?.addEventListener('ended', () => void this.useMicrophone(''));
      return stream;
    } catch (fault) {
      return this.#without(fault instanceof DOMException && fault.name === 'NotAllowedError' ? 'denied' : 'no_microphone');
    }
  }

  #without(state: PhoneState): null {
    this.#change(state);
    return null;
  }

  #connection(pc: RTCPeerConnection) {
    if (pc !== this.#pc) return;
    if (pc.connectionState === 'connected') {
      clearTimeout(this.#timer);
      this.#change('up');
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
