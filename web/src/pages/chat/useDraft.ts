import { useState } from "react";
import { useSignedIn } from "../../api/session";

export interface Draft {
  text: string;
  write: (text: string) => void;
  /** Takes what is being written along to a conversation that was begun meanwhile. */
  carry: (conversationId: string) => void;
}

/**
 * What is being written in a conversation, and was not asked yet: it is there again after a new load, in its own tab.
 *
 * Each person has their own, so that nobody who signs in after them reads it.
 */
export function useDraft(conversationId: string | undefined): Draft {
  const who = useSignedIn();
  const key = keyOf(who, conversationId ?? "");
  const [kept, setKept] = useState(() => ({ key, text: read(key) }));
  const text = kept.key === key ? kept.text : read(key);
  const write = (next: string) => {
    keep(key, next);
    setKept({ key, text: next });
  };
  const carry = (to: string) => {
    keep(keyOf(who, to), text);
    keep(key, "");
    setKept({ key: keyOf(who, to), text });
  };
  return { text, write, carry };
}

const keyOf = (who: string, conversationId: string) => `aura.draft.${who}.${conversationId}`;

const read = (key: string) => sessionStorage.getItem(key) ?? "";

function keep(key: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // There is no room: then it lasts as long as the page.
  }
}
