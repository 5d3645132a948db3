import { Menu, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDots, IconPencil, IconSearch, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { NavLink } from "react-router";
import { api, ok, type Schemas } from "../../api/client";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { RowList } from "../../components/RowList";
import { useMessages } from "../../i18n";
import { DeleteConversation, RenameConversation } from "./ConversationDialogs";
import classes from "./history.module.css";
import { IconButton } from "./IconButton";

export type Conversation = Schemas["ConversationView"];

const PAUSE_MS = 250;
const LIMIT = 50;

/** What was talked about before, the last first: to be searched, named and deleted. */
export function History({ current, onDeleted }: { current: string | undefined; onDeleted: (id: string) => void }) {
  const t = useMessages();
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text.trim(), PAUSE_MS);
  const [renamed, setRenamed] = useState<Conversation | null>(null);
  const [deleted, setDeleted] = useState<Conversation | null>(null);
  const read = async (after: string | undefined) => {
    const query = { limit: LIMIT, ...(q && { q }), ...(after && { after }) };
    const page = await ok(api.GET("/api/memory/conversations", { params: { query } }));
    return { rows: page.conversations, next: page.next };
  };
  const rows = useRows(["conversations", "list", q], read, { keepsOthers: true });
  return (
    <div className={classes.history}>
      <TextInput
        type="search"
        aria-label={t("chat.searchHistory")}
        placeholder={t("chat.searchHistory")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className={classes.list}>
        <RowList
          rows={rows}
          rowKey={({ id }) => id}
          label={t("chat.history")}
          guessPx={58}
          height="100%"
          empty={<Empty title={t(q ? "chat.nothingHolds" : "home.noConversations")} text={q ? "" : t("home.noConversationsText")} />}
        >
          {(each) => (
            <div className={classes.row} data-current={each.id === current || undefined}>
              <NavLink to={`/app/chat/${each.id}`} className={classes.link}>
                <span className={classes.title}>{each.title || t("home.untitled")}</span>
                <Text span fz="xs" c="dimmed">
                  <DateTime at={each.last_message_at ?? each.created_at} />
                </Text>
              </NavLink>
              <Menu position="bottom-end" width={180}>
                <Menu.Target>
                  <IconButton label={t("chat.optionsOf", { title: each.title || t("home.untitled") })} icon={IconDots} />
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setRenamed(each)}>
                    {t("chat.rename")}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} c="var(--mantine-color-error)" onClick={() => setDeleted(each)}>
                    {t("common.delete")}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </div>
          )}
        </RowList>
      </div>
      <RenameConversation key={`renamed ${renamed?.id}`} conversation={renamed} onClose={() => setRenamed(null)} />
      <DeleteConversation key={`deleted ${deleted?.id}`} conversation={deleted} onClose={() => setDeleted(null)} onDeleted={onDeleted} />
    </div>
  );
}
