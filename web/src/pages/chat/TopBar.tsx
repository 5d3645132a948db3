import { Button, Group, Select, Text } from "@mantine/core";
import { IconHistory, IconPlus } from "@tabler/icons-react";
import type { Schemas } from "../../api/client";
import { useMessages } from "../../i18n";
import classes from "./chat.module.css";

const CHOSEN = "aura.assistant";
const MANY = 8;

/** Returns whom one has chosen last in this browser. */
export const lastChosen = () => localStorage.getItem(CHOSEN);

interface Props {
  title: string | undefined;
  assistants: readonly Schemas["AgentCard"][];
  assistantKey: string | null;
  onAssistant: (key: string) => void;
  onHistory: () => void;
  onNew: () => void;
}

/** What the conversation is about and whom it is with; on narrow screens also the ways to others. */
export function TopBar({ title, assistants, assistantKey, onAssistant, onHistory, onNew }: Props) {
  const t = useMessages();
  const choose = (key: string | null) => {
    if (!key) return;
    localStorage.setItem(CHOSEN, key);
    onAssistant(key);
  };
  const small = { hiddenFrom: "lg", size: "xs", px: "xs", className: classes.fixed!, variant: "default" } as const;
  return (
    <Group className={classes.top} gap="xs" wrap="nowrap">
      <Button {...small} onClick={onHistory} aria-label={t("chat.history")}>
        <IconHistory size={16} aria-hidden />
      </Button>
      <Text className={classes.topTitle} fz="sm" fw={550} truncate visibleFrom="sm">
        {title}
      </Text>
      <Select
        size="xs"
        className={classes.assistant}
        aria-label={t("chat.assistant")}
        data={assistants.map(({ assistant_key: value, name: label }) => ({ value, label }))}
        value={assistantKey}
        allowDeselect={false}
        searchable={assistants.length > MANY}
        onChange={choose}
      />
      <Button {...small} onClick={onNew} aria-label={t("chat.new")}>
        <IconPlus size={16} aria-hidden />
      </Button>
    </Group>
  );
}
