// What a page hears, at the rate of a telephone, and its microphone as it is: laid under the page before its own programs, which know nothing of it.
(() => {
  const heard = { blocks: [], length: 0 };
  globalThis.heard = heard;

  // A page that connects anew plays the new sound alone: the tap on the sound before it would put its silence between.
  const listen = (stream) => {
    void heard.context?.close();
    const context = new AudioContext({ sampleRate: 8000 });
    const tap = context.createScriptProcessor(1024, 1, 1);
    tap.onaudioprocess = (event) => {
      if (context !== heard.context) return;
      const block = Int16Array.from(event.inputBuffer.getChannelData(0), (sample) => Math.max(-32768, Math.min(32767, sample * 32768)));
      heard.blocks.push(block);
      heard.length += block.length;
    };
    context.createMediaStreamSource(stream).connect(tap);
    tap.connect(context.destination);
    heard.context = context;
  };

  const Connection = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(...settings) {
      super(...settings);
      // A test may have the sound go by a relay of its own.
      const answered = this.setRemoteDescription.bind(this);
      const byRelay = (sdp) => (globalThis.mediaPort ? sdp.replace(/(a=candidate:\S+ \d+ udp \d+ \S+ )\d+/gi, `$1${globalThis.mediaPort}`) : sdp);
      this.setRemoteDescription = (told) => answered({ ...told, sdp: byRelay(told.sdp) });
      this.addEventListener('track', (event) => listen(event.streams[0] ?? new MediaStream([event.track])));
    }
  };

  // A browser takes chirps for noise, and takes noise away.
  const devices = navigator.mediaDevices;
  const take = devices?.getUserMedia.bind(devices);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  if (take) devices.getUserMedia = (wanted) => take({ ...wanted, audio: { ...wanted.audio, ...plain } });

  globalThis.heardSoFar = () => {
    const all = new Int16Array(heard.length);
    let at = 0;
    for (const block of heard.blocks) {
      all.set(block, at);
      at += block.length;
    }
    const bytes = new Uint8Array(all.buffer);
    let text = '';
    for (let from = 0; from < bytes.length; from += 32768) text += String.fromCharCode(...bytes.subarray(from, from + 32768));
    return btoa(text);
  };
})();
