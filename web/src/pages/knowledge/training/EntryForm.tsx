import { Button, Group, Modal, Select, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { asProblem } from "../../../api/problem";
import { ErrorNote } from "../../../components/ErrorNote";
import { Loading } from "../../../components/Loading";
import { useMessages } from "../../../i18n";
import { useAssistants } from "../useAssistants";
import type { Entry, Kind, Texts } from "./kinds";

interface Props {
  kind: Kind;
  /** The one to be changed; without, a new one is made. */
  entry?: Entry;
  onClose: () => void;
}

/** Makes or changes an entry. */
export function EntryForm({ kind, entry, onClose }: Props) {
  const t = useMessages();
  const { whole } = kind;
  const read = useQuery({
    queryKey: ["entries", "one", entry?.id],
    enabled: !!(entry && whole),
    staleTime: 0,
    queryFn: () => whole!(entry!.id),
  });
  const found = entry && whole ? read.data : entry;
  return (
    <Modal opened onClose={onClose} size="lg" title={t(entry ? "knowledge.editEntry" : "knowledge.addEntry")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <ErrorNote error={read.error} />
      {entry && !found ? <Loading /> : <Fields kind={kind} {...(found ? { entry: found } : {})} onClose={onClose} />}
    </Modal>
  );
}

function Fields({ kind, entry, onClose }: Props) {
  const t = useMessages();
  const client = useQueryClient();
  const assistants = useAssistants();
  const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries(kind.fields.map(({ name }) => [name, String(entry?.[name] ?? "")])));
  const [tags, setTags] = useState(entry?.tags ?? []);
  const [assistant, setAssistant] = useState(entry?.assistant_key ?? null);
  const act = useMutation({
    mutationFn: () => {
      const said = Object.fromEntries(Object.entries(texts).filter(([name, text]) => text.trim() || !kind.fields.find((each) => each.name === name)?.isOptional));
      const given: Texts = { ...said, tags, assistant_key: assistant };
      return entry ? kind.change(entry.id, given) : kind.make(given);
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["entries"] });
      onClose();
    },
  });
  const faults = act.error ? asProblem(act.error).fields : {};
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <form onSubmit={submitted}>
      <Stack>
        <ErrorNote error={act.error} />
        {kind.fields.map(({ name, label, most, isLong, isOptional }, index) => {
          const about = {
            label: t(label),
            required: !isOptional,
            maxLength: most,
            error: faults[name],
            value: texts[name] ?? "",
            "data-autofocus": index === 0 || undefined,
          };
          const set = (value: string) => setTexts((before) => ({ ...before, [name]: value }));
          return isLong ? (
            <Textarea key={name} {...about} autosize minRows={name === "prompt" ? 2 : 6} maxRows={16} onChange={(event) => set(event.currentTarget.value)} />
          ) : (
            <TextInput key={name} {...about} onChange={(event) => set(event.currentTarget.value)} />
          );
        })}
        <TagsInput label={t("knowledge.tags")} value={tags} onChange={setTags} maxTags={32} splitChars={[",", ";", "|"]} clearable />
        {assistants.length > 1 && (
          <Select label={t("knowledge.assistant")} placeholder={t("knowledge.allAssistants")} data={assistants} value={assistant} onChange={setAssistant} clearable />
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={act.isPending}>
            {t("common.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
