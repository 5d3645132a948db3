import { microphoneFault } from "./faults";
import type { Frame } from "./framing";

/** Hears through one device and hands on frames; the device can be changed while it hears. */
export class Microphone {
  #stream: MediaStream | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  readonly #node: AudioWorkletNode;
  #isMuted = false;

  /** `onGone` is told when the device is pulled out or taken away. */
  constructor(
    private readonly context: AudioContext,
    onFrame: (frame: Frame) => void,
    private readonly onGone: () => void,
  ) {
    this.#node = new AudioWorkletNode(context, "aura-capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.onmessage = ({ data }: MessageEvent<Frame>) => onFrame(data);
  }

  get deviceId(): string {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** Hears through this device from now on; "" is the machine's own choice. Throws Fault. */
  async open(deviceId: string): Promise<void> {
    const stream = await opened(deviceId);
    this.#release();
    this.#stream = stream;
    this.#source = this.context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
    this.mute(this.#isMuted);
    const [track] = stream.getAudioTracks();
    if (track) track.onended = () => this.#stream === stream && this.onGone();
  }

  mute(isMuted: boolean): void {
    this.#isMuted = isMuted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !isMuted;
  }

  close(): void {
    this.#release();
    this.#node.port.onmessage = null;
    this.#node.port.close();
  }

  #release(): void {
    this.#source?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = this.#source = null;
  }
}

async function opened(deviceId: string): Promise<MediaStream> {
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: { ideal: 1 } };
  const get = (audio: MediaTrackConstraints) => navigator.mediaDevices.getUserMedia({ audio });
  try {
    return await get(deviceId ? { ...wanted, deviceId: { exact: deviceId } } : wanted);
  } catch (thrown) {
    if (!deviceId) throw microphoneFault(thrown);
    // The device of last time is not there today.
    return await get(wanted).catch((again: unknown) => {
      throw microphoneFault(again);
    });
  }
}

/** What can hear and what can be heard; labels are empty until the person has let us hear once. */
export interface Devices {
  inputs: MediaDeviceInfo[];
  outputs: MediaDeviceInfo[];
}

/** Tells the devices now and at each change, until the function that it returns is called. */
export function followDevices(onChange: (devices: Devices) => void): () => void {
  const look = async () => {
    const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const ofKind = (kind: MediaDeviceKind) => found.filter((device) => device.kind === kind && device.deviceId);
    onChange({ inputs: ofKind("audioinput"), outputs: ofKind("audiooutput") });
  };
  void look();
  navigator.mediaDevices?.addEventListener("devicechange", look);
  return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
}
