import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";

/** Adds a text that was pasted. */
export function AddText({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useMessages();
  const client = useQueryClient();
  const [title, setTitle] = useState("");
  const [text, setText] = useState("");
  const act = useMutation({
    mutationFn: () => ok(api.POST("/api/knowledge/ingest", { body: body<Schemas["TextBody"]>({ title: title.trim(), text }) })),
    onSuccess: () => {
      setTitle("");
      setText("");
      onClose();
      void client.invalidateQueries({ queryKey: ["documents"] });
    },
  });
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Modal opened={isOpen} onClose={onClose} size="lg" title={t("knowledge.addText")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={act.error} />
          <TextInput label={t("knowledge.name")} maxLength={255} required data-autofocus value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
          <Textarea
            label={t("knowledge.textLabel")}
            description={t("knowledge.textHint")}
            required
            autosize
            minRows={8}
            maxRows={18}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={act.isPending} disabled={!title.trim() || !text.trim()}>
              {t("knowledge.add")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
