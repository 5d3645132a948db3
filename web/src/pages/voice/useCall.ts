import { useEffect, useMemo, useSyncExternalStore } from "react";
import { socketTicket } from "../../api/client";
import { type CallView, VoiceCall } from "../../voice/call";
import workletUrl from "../../voice/sound.worklet.ts?worker&url";

const INPUT = "aura.voice.input";
const OUTPUT = "aura.voice.output";

/** The devices that were chosen last in this browser; "" is the system's own choice. */
export const chosenDevices = () => ({ input: localStorage.getItem(INPUT) ?? "", output: localStorage.getItem(OUTPUT) ?? "" });

export function chooseDevice(kind: "input" | "output", id: string): void {
  localStorage.setItem(kind === "input" ? INPUT : OUTPUT, id);
}

/** Returns a conversation with an assistant, a new one for each `round`, and what is to be shown of it. It ends with the page. */
export function useCall(assistantKey: string, round: number): { call: VoiceCall; view: CallView } {
  const call = useMemo(() => {
    const { input, output } = chosenDevices();
    const ticket = () => socketTicket("/ws/voice/continuous");
    return new VoiceCall({ ticket, workletUrl, assistantKey, inputId: input, outputId: output });
  }, [assistantKey, round]);
  useEffect(() => () => call.end(), [call]);
  return { call, view: useSyncExternalStore(call.subscribe, call.look) };
}
