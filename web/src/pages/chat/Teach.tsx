import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconSchool } from "@tabler/icons-react";
import { type SubmitEvent, useState } from "react";
import { api } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import type { Exchange } from "./exchange";

const WAIT = { Prefer: "wait=30" };

/** Lets somebody who knows the answer write it down; from then on the assistant gives it word for word. */
export function Teach({ exchange, onTaught }: { exchange: Exchange; onTaught: () => void }) {
  const t = useMessages();
  const [isOpen, { open, close }] = useDisclosure();
  const [question, setQuestion] = useState(exchange.question);
  const [response, setResponse] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submitted = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await taught(exchange, question.trim(), response.trim());
      close();
      onTaught();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconSchool size={16} aria-hidden />} onClick={open}>
        {t("chat.teach")}
      </Button>
      <Modal opened={isOpen} onClose={close} title={t("chat.teachTitle")} size="lg" closeButtonProps={{ "aria-label": t("common.close") }}>
        <form onSubmit={submitted}>
          <Stack>
            <TextInput label={t("chat.question")} required value={question} onChange={(event) => setQuestion(event.currentTarget.value)} />
            <Textarea
              label={t("chat.answer")}
              description={t("chat.teachText")}
              required
              autosize
              minRows={4}
              maxRows={12}
              data-autofocus
              value={response}
              onChange={(event) => setResponse(event.currentTarget.value)}
            />
            <ErrorNote error={error} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                {t("common.cancel")}
              </Button>
              <Button type="submit" loading={isBusy} disabled={!question.trim() || !response.trim()}>
                {t("chat.teachSave")}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

async function taught({ unansweredId, assistantKey, question: asked }: Exchange, question: string, response: string): Promise<void> {
  if (unansweredId) {
    const body = { response, question: question === asked ? null : question };
    await api.POST("/api/knowledge/unanswered/{id}/answer", { params: { path: { id: unansweredId } }, body, headers: WAIT });
  } else {
    const body = { prompt: question, response, tags: [], assistant_key: assistantKey };
    await api.POST("/api/training/qa", { body, headers: WAIT });
  }
}
