import { Button, Group, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSparkles } from "@tabler/icons-react";
import { Link } from "react-router";
import { api, ok } from "../../api/client";
import { useRows } from "../../api/pages";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import classes from "./assistants.module.css";
import type { Agent } from "./draft";
import { NewAssistant } from "./NewAssistant";

const PAGE = 60;

/** All assistants, and the way to a new one. */
export default function AssistantList() {
  const t = useMessages();
  const [isNew, { open, close }] = useDisclosure();
  const rows = useRows(["agents", "list"], async (after, signal) => {
    const page = await ok(api.GET("/api/agents", { params: { query: { limit: PAGE, ...(after ? { after } : {}) } }, signal }));
    return { rows: page.agents as Agent[], next: page.next };
  });
  return (
    <Page
      title={t("assistants.title")}
      text={t("assistants.text")}
      actions={
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
          {t("assistants.new")}
        </Button>
      }
    >
      <ErrorNote error={rows.error} onRetry={() => void rows.refetch()} />
      {rows.isPending && <Loading />}
      {rows.data?.length === 0 && <Empty icon={IconSparkles} title={t("assistants.none")} />}
      <div className={classes.cards}>
        {rows.data?.map((agent) => (
          <Card key={agent.assistant_key} agent={agent} />
        ))}
      </div>
      {rows.hasNextPage && (
        <Group justify="center">
          <Button variant="default" loading={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
            {t("common.more")}
          </Button>
        </Group>
      )}
      {isNew && <NewAssistant onClose={close} taken={rows.data?.map(({ assistant_key }) => assistant_key) ?? []} />}
    </Page>
  );
}

function Card({ agent }: { agent: Agent }) {
  const t = useMessages();
  return (
    <Link to={`/app/assistants/${agent.assistant_key}`} className={classes.card}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Title order={2} fz="md" lineClamp={1}>
          {agent.name}
        </Title>
        <StateBadge state={agent.is_active ? "active" : "inactive"} />
      </Group>
      <Text fz="sm" c="dimmed" lineClamp={3} style={{ overflowWrap: "anywhere" }}>
        {agent.greeting || agent.instructions || t("assistants.noGreeting")}
      </Text>
      <Text fz="xs" c="dimmed" className={classes.foot}>
        {agent.assistant_key} · <DateTime at={agent.updated_at} />
      </Text>
    </Link>
  );
}
