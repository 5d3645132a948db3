import { useCallback, useEffect, useRef, useState } from "react";
import { api, type Schemas } from "../../api/client";
import { events } from "../../api/events";
import { Problem } from "../../api/problem";

export interface Turn {
  key: number;
  question: string;
  answer: string;
  sources: string[];
  confidence: number | null;
  isDone: boolean;
}

/** Asks an assistant in a conversation of its own, which is deleted when the test is over: a trial is nobody's history. */
export function useTest(assistantKey: string) {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [isBusy, setBusy] = useState(false);
  const conversation = useRef<string | null>(null);
  const stop = useRef<AbortController | null>(null);

  const forget = useCallback(() => {
    stop.current?.abort();
    const id = conversation.current;
    conversation.current = null;
    if (id) void api.DELETE("/api/memory/conversations/{id}", { params: { path: { id } } }).catch(() => undefined);
  }, []);
  useEffect(() => forget, [forget]);

  const ask = async (question: string, persona: Schemas["PersonaTraits"]) => {
    const key = turns.length;
    const change = (made: Partial<Turn> | ((turn: Turn) => Partial<Turn>)) =>
      setTurns((before) => before.map((turn) => (turn.key === key ? { ...turn, ...(typeof made === "function" ? made(turn) : made) } : turn)));
    setTurns((before) => [...before, { key, question, answer: "", sources: [], confidence: null, isDone: false }]);
    setBusy(true);
    const following = (stop.current = new AbortController());
    const body = { message: question, assistant_key: assistantKey, conversation_id: conversation.current, persona, stream: true };
    const request = new Request("/api/chat", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    try {
      const isLast = ({ name }: { name: string }) => /^turn\.(completed|failed|cancelled)$/.test(name);
      for await (const { name, data } of events(request, { signal: following.signal, isLast })) {
        if (typeof data.conversation_id === "string") conversation.current = data.conversation_id;
        if (name === "turn.token") change((turn) => ({ answer: turn.answer + String(data.text ?? "") }));
        if (name === "turn.completed") {
          const answer = data as unknown as Schemas["ChatAnswer"];
          change({ answer: answer.response, sources: answer.sources, confidence: answer.knowledge_used ? answer.context_confidence : null });
        }
        if (name === "turn.failed") throw new Problem(String(data.code), String(data.detail));
      }
    } finally {
      change({ isDone: true });
      setBusy(false);
    }
  };

  const reset = () => {
    forget();
    setTurns([]);
  };
  return { turns, isBusy, ask, reset };
}
