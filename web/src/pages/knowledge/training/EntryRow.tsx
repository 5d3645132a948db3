import { Button, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useMe } from "../../../api/me";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { StateBadge } from "../../../components/StateBadge";
import { useMessages, useSentence } from "../../../i18n";
import classes from "../knowledge.module.css";
import { EntryForm } from "./EntryForm";
import type { Entry, Kind } from "./kinds";

/** An entry in a list, with what can be done with it. */
export function EntryRow({ kind, entry }: { kind: Kind; entry: Entry }) {
  const t = useMessages();
  const sentence = useSentence();
  const { can } = useMe();
  const client = useQueryClient();
  const [isEdited, { open, close }] = useDisclosure();
  const name = String(entry.prompt ?? entry.title ?? "");
  const text = String(entry.response ?? entry.content ?? entry.content_preview ?? "");
  const remove = async () => {
    const gone = await kind.remove(entry.id);
    notifications.show({ message: t("knowledge.deleted", { name: gone.name }) });
    await client.invalidateQueries({ queryKey: ["entries"] });
  };
  return (
    <article className={classes.entry}>
      <div>
        <Text fz="sm" fw={600} lineClamp={2}>
          {name}
        </Text>
        <Text fz="sm" c="dimmed" className={classes.clamped}>
          {text}
        </Text>
        <Group gap={6} mt={6}>
          {entry.status !== "processed" && <StateBadge state={entry.status} />}
          {entry.detail && (
            <Text fz="xs" c="var(--mantine-color-error)">
              {sentence(entry)}
            </Text>
          )}
          {[entry.category, entry.assistant_key, ...entry.tags].filter(Boolean).map((tag) => (
            <span key={String(tag)} className={classes.tag}>
              {String(tag)}
            </span>
          ))}
        </Group>
      </div>
      {can(kind.needs) && (
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={open}>
            {t("common.edit")}
          </Button>
          <ConfirmButton size="compact-sm" title={t("knowledge.deleteTitle", { name })} text={t("knowledge.deleteEntryText")} onConfirm={remove}>
            {t("common.delete")}
          </ConfirmButton>
        </Group>
      )}
      {isEdited && <EntryForm kind={kind} entry={entry} onClose={close} />}
    </article>
  );
}
