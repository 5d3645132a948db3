/** Loaded when somebody wants to talk. */
import { type CallView, VoiceCall } from "../src/voice/call";


/** Begins a call in a visitor's name; `onView` is told each change. */
export function talk(server: string, token: () => Promise<string>, conversationId: string, onView: (view: CallView) => void): VoiceCall {
  const url = new URL("/ws/voice/widget", server);
  url.protocol = url.protocol.replace("http", "ws");
  const call = new VoiceCall({
    ticket: async () => ({ url: url.href, ticket: await token() }),
    workletUrl: new URL("/widget/sound.js", server).href,
    conversationId,
  });
  call.subscribe(() => onView(call.view));
  void call.begin();
  return call;
}
