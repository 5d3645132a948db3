import { Button, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, ok } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import type { Agent } from "./draft";

type Fate = "shared" | "delete";

/** Deletes an assistant, once it is said what becomes of the knowledge that only it uses. */
export function Remove({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const t = useMessages();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [documents, setDocuments] = useState<Fate>("shared");
  const act = useMutation({
    mutationFn: () => ok(api.DELETE("/api/agents/{key}", { params: { path: { key: agent.assistant_key }, query: { documents } } })),
    onSuccess: (receipt) => {
      notifications.show({
        title: t("assistants.deleted", { name: agent.name }),
        message: t("assistants.receipt", { deleted: receipt.documents_deleted, shared: receipt.documents_shared }),
      });
      void navigate("/app/assistants", { replace: true });
      client.removeQueries({ queryKey: ["agents", "one", agent.assistant_key] });
      void client.invalidateQueries({ queryKey: ["agents"] });
    },
  });
  return (
    <Modal opened onClose={onClose} title={t("assistants.deleteTitle", { name: agent.name })} closeButtonProps={{ "aria-label": t("common.close") }}>
      <Stack>
        <Text fz="sm">{t("assistants.deleteText")}</Text>
        <Radio.Group label={t("assistants.itsDocuments")} value={documents} onChange={(value) => setDocuments(value as Fate)}>
          <Stack gap="xs" mt="xs">
            <Radio value="shared" label={t("assistants.share")} />
            <Radio value="delete" label={t("assistants.deleteToo")} />
          </Stack>
        </Radio.Group>
        <ErrorNote error={act.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t("common.cancel")}
          </Button>
          <Button color="red" loading={act.isPending} onClick={() => act.mutate()}>
            {t("common.delete")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
