import { Button, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconDownload, IconPlus, IconSchool, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Navigate, Route, Routes, useNavigate } from "react-router";
import { blob } from "../../../api/client";
import { useMe } from "../../../api/me";
import { useRows } from "../../../api/pages";
import { Empty } from "../../../components/Empty";
import { Page } from "../../../components/Page";
import { RowList } from "../../../components/RowList";
import { useMessages } from "../../../i18n";
import { Tabs } from "../Tabs";
import { EntryForm } from "./EntryForm";
import { EntryRow } from "./EntryRow";
import { Import } from "./Import";
import { type Kind, KINDS } from "./kinds";
import { useLiveEntries } from "./live";

const PAGE = 50;

/** What is told and not uploaded: pairs of question and answer, notes, materials. */
export default function TrainingPage() {
  return (
    <Routes>
      {KINDS.map((kind) => (
        <Route key={kind.label} path={kind.path} element={<Entries key={kind.label} kind={kind} />} />
      ))}
      <Route path="*" element={<Navigate to="/app/knowledge/training" replace />} />
    </Routes>
  );
}

function Entries({ kind }: { kind: Kind }) {
  const t = useMessages();
  const { can } = useMe();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 250);
  const [isNew, { open, close }] = useDisclosure();
  useLiveEntries();
  const rows = useRows(["entries", kind.address, q], (after, signal) =>
    kind.page({ limit: PAGE, ...(q ? { q } : {}), ...(after ? { after } : {}) }, signal),
  );
  const mayWrite = can(kind.needs);
  return (
    <Page
      title={t("knowledge.title")}
      text={t("knowledge.trainingText")}
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
            {t("knowledge.add")}
          </Button>
        )
      }
    >
      <Tabs />
      <Stack gap="md">
        <Group gap="sm" justify="space-between">
          <SegmentedControl
            aria-label={t("knowledge.training")}
            value={kind.path}
            onChange={(path) => void navigate(`/app/knowledge/training${path && `/${path}`}`)}
            data={KINDS.map(({ path, label }) => ({ value: path, label: t(label) }))}
          />
          <Group gap="xs">
            {mayWrite && <Import kind={kind} />}
            <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => void download(kind)}>
              {t("knowledge.export")}
            </Button>
          </Group>
        </Group>
        <Text fz="sm" c="dimmed">
          {t(kind.hint)}
        </Text>
        <TextInput
          role="searchbox"
          aria-label={t("common.search")}
          placeholder={t("common.search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <RowList
          rows={rows}
          rowKey={(row) => row.id}
          label={t(kind.label)}
          guessPx={96}
          empty={
            <Empty icon={IconSchool} title={t(q ? "knowledge.nothingFound" : "knowledge.noEntries")}>
              {mayWrite && !q && <Button onClick={open}>{t("knowledge.add")}</Button>}
            </Empty>
          }
        >
          {(row) => <EntryRow kind={kind} entry={row} />}
        </RowList>
      </Stack>
      {isNew && <EntryForm kind={kind} onClose={close} />}
    </Page>
  );
}

async function download(kind: Kind): Promise<void> {
  const url = URL.createObjectURL(await blob(`${kind.address}/export?format=csv`));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${kind.path || "pairs"}.csv`;
  link.click();
  URL.revokeObjectURL(url);
}
