import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { api } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import type { Conversation } from "./History";

interface Props {
  /** Null while nothing is asked. */
  conversation: Conversation | null;
  onClose: () => void;
}

const MAX_TITLE_CHARS = 255;

/** Gives a conversation another title. */
export function RenameConversation({ conversation, onClose }: Props) {
  const t = useMessages();
  const [title, setTitle] = useState(conversation?.title ?? "");
  const act = () => {
    const params = { path: { id: conversation!.id } };
    return api.PATCH("/api/memory/conversations/{id}", { params, body: { title: title.trim() } });
  };
  return (
    <Dialog isOpen={conversation !== null} title={t("chat.rename")} confirm={t("common.save")} isReady={title.trim() !== ""} onClose={onClose} act={act}>
      <TextInput
        label={t("chat.conversationTitle")}
        data-autofocus
        maxLength={MAX_TITLE_CHARS}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
    </Dialog>
  );
}

/** Deletes a conversation, once more asked. */
export function DeleteConversation({ conversation, onClose, onDeleted }: Props & { onDeleted: (id: string) => void }) {
  const t = useMessages();
  const act = async () => {
    const { id } = conversation!;
    await api.DELETE("/api/memory/conversations/{id}", { params: { path: { id } } });
    onDeleted(id);
  };
  const title = t("chat.deleteTitle", { title: conversation?.title || t("home.untitled") });
  return (
    <Dialog isOpen={conversation !== null} title={title} confirm={t("common.delete")} isDangerous onClose={onClose} act={act}>
      <Text fz="sm">{t("chat.deleteText")}</Text>
    </Dialog>
  );
}

interface DialogProps {
  isOpen: boolean;
  title: string;
  confirm: string;
  isReady?: boolean;
  isDangerous?: boolean;
  onClose: () => void;
  act: () => Promise<unknown>;
  children: ReactNode;
}

function Dialog({ isOpen, title, confirm, isReady = true, isDangerous = false, onClose, act, children }: DialogProps) {
  const t = useMessages();
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submitted = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await act();
      await queries.invalidateQueries({ queryKey: ["conversations"] });
      onClose();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          {children}
          <ErrorNote error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={isBusy} disabled={!isReady} {...(isDangerous && { color: "red" })}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
