import { Button, Group, Modal, Stack, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";

const MOST = 100;

/** Adds what is at web addresses; what became of each stands with the work it has become. */
export function AddAddresses({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useMessages();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const urls = [...new Set(text.split(/\s+/).filter(Boolean))];
  const act = useMutation({
    mutationFn: () => ok(api.POST("/api/documents/url", { body: body<Schemas["UrlsBody"]>({ urls }) })),
    onSuccess: () => {
      setText("");
      onClose();
      void client.invalidateQueries({ queryKey: ["batches"] });
      void navigate("/app/knowledge/work");
    },
  });
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Modal opened={isOpen} onClose={onClose} size="lg" title={t("knowledge.addAddress")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={act.error} />
          <Textarea
            label={t("knowledge.addresses")}
            description={t("knowledge.addressesHint", { most: MOST })}
            placeholder="https://example.org/handbook.pdf"
            required
            data-autofocus
            autosize
            minRows={4}
            maxRows={12}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={act.isPending} disabled={urls.length === 0 || urls.length > MOST}>
              {t("knowledge.add")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
