import { Button, FileButton, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { type Schemas, send } from "../../../api/client";
import { ErrorNote } from "../../../components/ErrorNote";
import { useMessages } from "../../../i18n";
import type { Kind } from "./kinds";

type Imported = Schemas["Imported"];

/** Takes a file of entries: first says what would become of its rows, then does it. */
export function Import({ kind }: { kind: Kind }) {
  const t = useMessages();
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const reset = useRef<() => void>(null);
  const trial = useMutation({ mutationFn: (given: File) => sent(kind, given, true) });
  const act = useMutation({
    mutationFn: () => sent(kind, file!, false),
    onSuccess: () => client.invalidateQueries({ queryKey: ["entries"] }),
  });
  const close = () => {
    setFile(null);
    reset.current?.();
    trial.reset();
    act.reset();
  };
  const chosen = (given: File | null) => {
    if (!given) return;
    setFile(given);
    trial.mutate(given);
  };
  const found = act.data ?? trial.data;
  return (
    <>
      <FileButton resetRef={reset} accept=".csv,.tsv,.json,.jsonl,.ndjson,.txt" onChange={chosen}>
        {(button) => (
          <Button variant="default" leftSection={<IconUpload size={16} aria-hidden />} {...button}>
            {t("knowledge.import")}
          </Button>
        )}
      </FileButton>
      <Modal opened={file !== null} onClose={close} title={t("knowledge.importTitle", { name: file?.name ?? "" })} closeButtonProps={{ "aria-label": t("common.close") }}>
        <Stack>
          <ErrorNote error={trial.error ?? act.error} />
          {trial.isPending && <Text fz="sm">{t("common.loading")}</Text>}
          {found && <Outcome found={found} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t(act.data ? "common.close" : "common.cancel")}
            </Button>
            {!act.data && (
              <Button disabled={!found || found.created + found.updated === 0} loading={act.isPending} onClick={() => act.mutate()}>
                {t("knowledge.import")}
              </Button>
            )}
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Outcome({ found }: { found: Imported }) {
  const t = useMessages();
  return (
    <>
      <Text fz="sm">{t(found.dry_run ? "knowledge.wouldImport" : "knowledge.didImport", { created: found.created, updated: found.updated, unchanged: found.unchanged, refused: found.refused })}</Text>
      {found.errors.length > 0 && (
        <Table.ScrollContainer minWidth={0} mah={240}>
          <Table fz="xs">
            <Table.Tbody>
              {found.errors.map((error, index) => (
                <Table.Tr key={index}>
                  <Table.Td>{t("knowledge.row", { number: error.row })}</Table.Td>
                  <Table.Td>{error.field}</Table.Td>
                  <Table.Td>{error.detail}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </>
  );
}

async function sent(kind: Kind, file: File, isTrial: boolean): Promise<Imported> {
  const form = new FormData();
  form.append("file", file);
  form.append("dry_run", String(isTrial));
  return (await send(new Request(`${kind.address}/import`, { method: "POST", body: form }))).json();
}
