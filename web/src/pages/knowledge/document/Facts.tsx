import { Anchor, Button, Group, Stack, TagsInput, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { body } from "../../../api/body";
import { api, ok, type Schemas } from "../../../api/client";
import { useMe } from "../../../api/me";
import { DateTime } from "../../../components/DateTime";
import { ErrorNote } from "../../../components/ErrorNote";
import { FileSize } from "../../../components/FileSize";
import { StateBadge } from "../../../components/StateBadge";
import { useLanguage, useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import { useAssistants, useTags } from "../useAssistants";

const MAX_TAGS = 32;

/** What is known of a document besides its text; its title and tags can be changed. */
export function Facts({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const { language } = useLanguage();
  const assistants = useAssistants();
  const facts: [string, ReactNode][] = [
    [t("knowledge.state"), <StateBadge state={document.status} />],
    [t("knowledge.file"), document.filename],
    [t("knowledge.type"), document.file_type],
    [t("knowledge.size"), <FileSize bytes={document.file_size} />],
    [t("knowledge.pages"), document.pages],
    [t("knowledge.chunks"), document.chunks.toLocaleString(language)],
    [t("knowledge.folder"), document.folder],
    [t("knowledge.address"), document.source_url && <Address url={document.source_url} />],
    [t("knowledge.assistant"), document.assistant_key && (assistants.find(({ value }) => value === document.assistant_key)?.label ?? document.assistant_key)],
    [t("knowledge.model"), document.embedding_model],
    [t("knowledge.added"), <DateTime at={document.created_at} isExact />],
  ];
  return (
    <aside aria-label={t("knowledge.about")}>
      <Stack gap="lg">
        <dl className={classes.facts}>
          {facts
            .filter(([, value]) => value !== null && value !== "" && value !== undefined)
            .map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}-is`}>{value}</dd>])}
        </dl>
        <Labels key={`${document.title}-${document.tags.join()}`} document={document} />
      </Stack>
    </aside>
  );
}

/** A link only for what leads to a web page: an address is somebody's text. */
function Address({ url }: { url: string }) {
  if (!/^https?:\/\//i.test(url)) return <>{url}</>;
  return (
    <Anchor href={url} target="_blank" rel="noreferrer noopener" fz="sm">
      {url}
    </Anchor>
  );
}

function Labels({ document }: { document: Schemas["DocumentView"] }) {
  const t = useMessages();
  const { can } = useMe();
  const client = useQueryClient();
  const known = useTags();
  const [title, setTitle] = useState(document.title);
  const [tags, setTags] = useState(document.tags);
  const act = useMutation({
    mutationFn: () => {
      const change = { tags, ...(title.trim() && title !== document.title ? { title: title.trim() } : {}) };
      return ok(api.PATCH("/api/documents/{id}", { params: { path: { id: document.id } }, body: body<Schemas["DocumentChange"]>(change) }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["documents"] }),
  });
  if (!can("documents:write"))
    return document.tags.length > 0 ? (
      <Group gap={6}>
        {document.tags.map((tag) => (
          <span key={tag} className={classes.tag}>
            {tag}
          </span>
        ))}
      </Group>
    ) : null;
  const isChanged = title !== document.title || tags.join("\n") !== document.tags.join("\n");
  return (
    <Stack gap="sm">
      <Title order={2} fz="md">
        {t("knowledge.labels")}
      </Title>
      <TextInput label={t("knowledge.name")} maxLength={255} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
      <TagsInput label={t("knowledge.tags")} data={known} value={tags} onChange={setTags} maxTags={MAX_TAGS} splitChars={[",", ";", "|"]} clearable />
      <Text fz="xs" c="dimmed">
        {t("knowledge.tagsHint")}
      </Text>
      <ErrorNote error={act.error} />
      <Button size="sm" disabled={!isChanged} loading={act.isPending} onClick={() => act.mutate()}>
        {t("common.save")}
      </Button>
    </Stack>
  );
}
