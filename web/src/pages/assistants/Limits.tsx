import { Checkbox, MultiSelect, Stack, TagsInput, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "../../api/client";
import { useMessages } from "../../i18n";
import { useTags } from "../knowledge/useAssistants";
import type { Draft, Put } from "./draft";

const SOURCES = ["document_chunks", "training_data", "logic_notes", "reference_materials"] as const;
const FOUND = 20;

/** What it may know: all that is chosen must hold, and nothing chosen limits nothing. */
export function Limits({ draft, put }: { draft: Draft; put: Put }) {
  const t = useMessages();
  const filter = draft.knowledge_filter;
  const set = (change: Partial<typeof filter>) => put("knowledge_filter", { ...filter, ...change });
  const tags = useTags();
  return (
    <Stack gap="md">
      <Text fz="sm" c="dimmed">
        {t("assistants.limitsText")}
      </Text>
      <TagsInput label={t("assistants.tags")} placeholder={t("assistants.anyTag")} data={tags} value={filter.tags ?? []} onChange={(value) => set({ tags: value })} maxTags={32} clearable />
      <Documents ids={filter.doc_ids ?? []} onChange={(doc_ids) => set({ doc_ids })} />
      <TagsInput
        label={t("assistants.fileTypes")}
        placeholder="pdf"
        data={["pdf", "docx", "pptx", "xlsx", "csv", "md", "txt", "html", "eml"]}
        value={filter.file_types ?? []}
        onChange={(value) => set({ file_types: value.map((each) => each.trim().toLowerCase()).filter((each) => /^[a-z0-9_.-]+$/.test(each)) })}
        maxTags={32}
        clearable
      />
      <Checkbox.Group
        label={t("assistants.sources")}
        description={t("assistants.sourcesHint")}
        value={filter.sources ?? []}
        onChange={(value) => set({ sources: value as (typeof SOURCES)[number][] })}
      >
        <Stack gap={8} mt={8}>
          {SOURCES.map((source) => (
            <Checkbox key={source} value={source} label={t(`assistants.${source}`)} />
          ))}
        </Stack>
      </Checkbox.Group>
    </Stack>
  );
}

/** Documents by name: those that are chosen, and those that what is typed finds. */
function Documents({ ids, onChange }: { ids: readonly string[]; onChange: (ids: string[]) => void }) {
  const t = useMessages();
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), 250);
  const found = useQuery({
    queryKey: ["documents", "names", q],
    queryFn: () => ok(api.GET("/api/documents", { params: { query: { limit: FOUND, ...(q ? { q } : {}) } } })),
  });
  const chosen = useQueries({
    queries: ids.map((id) => ({
      queryKey: ["documents", "one", id],
      staleTime: 60_000,
      retry: false,
      queryFn: () => ok(api.GET("/api/documents/{id}", { params: { path: { id } } })),
    })),
  });
  const names = new Map<string, string>(ids.map((id, index) => [id, chosen[index]?.data?.filename ?? id]));
  for (const { id, filename } of found.data?.documents ?? []) names.set(id, filename);
  return (
    <MultiSelect
      label={t("assistants.documents")}
      placeholder={t("assistants.anyDocument")}
      data={[...names].map(([value, label]) => ({ value, label }))}
      filter={({ options }) => options}
      value={[...ids]}
      onChange={onChange}
      searchValue={text}
      onSearchChange={setText}
      searchable
      clearable
    />
  );
}
