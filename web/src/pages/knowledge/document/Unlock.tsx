import { Button, FileButton, Group, PasswordInput, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import type { Schemas } from "../../../api/client";
import { ErrorNote } from "../../../components/ErrorNote";
import { useMessages } from "../../../i18n";
import { sendTogether } from "../uploads/post";

/** Opens a document that could not be read for want of its password: the same file comes again, with it. */
export function Unlock({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [password, setPassword] = useState("");
  const act = useMutation({
    mutationFn: (file: File) => {
      const sending = { batchId: null, password, key: `${document.id}-${Date.now()}`, signal: new AbortController().signal, onSent: () => undefined };
      return sendTogether([{ file, folder: document.folder ?? "" }], sending);
    },
    onSuccess: async ({ jobId }) => {
      await client.invalidateQueries({ queryKey: ["documents"] });
      // Other bytes are another document.
      if (jobId !== document.id) await navigate(`/app/knowledge/documents/${jobId}`);
    },
  });
  return (
    <>
      <Text fz="sm" mt="xs">
        {t("knowledge.unlockHint")}
      </Text>
      <Group gap="xs" mt="xs">
        <PasswordInput
          size="xs"
          w="14rem"
          aria-label={t("knowledge.passwordOf", { name: document.filename })}
          placeholder={t("knowledge.password")}
          autoComplete="off"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <FileButton onChange={(file) => file && act.mutate(file)}>
          {(button) => (
            <Button size="xs" variant="default" loading={act.isPending} disabled={!password} {...button}>
              {t("knowledge.chooseAndOpen")}
            </Button>
          )}
        </FileButton>
      </Group>
      <ErrorNote error={act.error} />
    </>
  );
}
