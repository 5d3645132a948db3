import { Alert, Anchor, Button, CopyButton, Group, Stack, Switch, TagsInput, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { useMessages } from "../../i18n";
import classes from "./assistants.module.css";
import { lineWith } from "../widget/line";
import { changeWidget, originOf, readWidget, type WidgetChange } from "./widget";

interface Props {
  agent: { assistant_key: string };
  /** Further attributes of the line, by name. */
  attributes?: Record<string, string>;
}

/** Puts this assistant on other sites: which may show it, and the line that does. Each change holds at once. */
export function Snippet({ agent, attributes }: Props) {
  const t = useMessages();
  const client = useQueryClient();
  const key = ["agents", "widget", agent.assistant_key];
  const found = useQuery({ queryKey: key, queryFn: () => readWidget(agent.assistant_key) });
  const act = useMutation({
    mutationFn: (change: WidgetChange) => changeWidget(agent.assistant_key, change),
    onSuccess: (changed) => client.setQueryData(key, changed),
  });
  const [strange, setStrange] = useState("");
  const put = (typed: string[]) => {
    const wrong = typed.filter((each) => originOf(each) === null);
    setStrange(wrong.join(", "));
    if (wrong.length < typed.length || typed.length === 0) act.mutate({ allowed_origins: [...new Set(typed.map(originOf).filter((each) => each !== null))] });
  };
  const widget = found.data;
  if (found.error) return <ErrorNote error={found.error} onRetry={() => void found.refetch()} />;
  if (!widget) return <Loading />;
  return (
    <Stack gap="md">
      <Text fz="sm" c="dimmed">
        {t("assistants.siteText")}
      </Text>
      <Switch label={t("assistants.onSites")} checked={widget.is_on} onChange={(event) => act.mutate({ is_on: event.currentTarget.checked })} />
      <TagsInput
        label={t("assistants.sites")}
        description={t("assistants.sitesHint")}
        placeholder="https://www.example.com"
        value={widget.allowed_origins}
        error={strange && t("assistants.noSite", { typed: strange })}
        onChange={put}
      />
      <Switch label={t("assistants.siteVoice")} checked={widget.voice} onChange={(event) => act.mutate({ voice: event.currentTarget.checked })} />
      <ErrorNote error={act.error} />
      {widget.is_on && widget.allowed_origins.length === 0 && <Alert color="orange">{t("assistants.noSites")}</Alert>}
      {!attributes && (
        <Anchor component={Link} to={`/widget/?assistant=${encodeURIComponent(agent.assistant_key)}`} fz="sm">
          {t("widget.tryOut")}
        </Anchor>
      )}
      {widget.snippet && <Line snippet={lineWith(widget.snippet, attributes ?? {})} onNewId={() => act.mutateAsync({ new_id: true })} />}
    </Stack>
  );
}

function Line({ snippet, onNewId }: { snippet: string; onNewId: () => Promise<unknown> }) {
  const t = useMessages();
  return (
    <>
      <pre className={classes.snippet} tabIndex={0}>
        {snippet}
      </pre>
      <Group gap="xs">
        <CopyButton value={snippet}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy} leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}>
              {t(copied ? "common.copied" : "common.copy")}
            </Button>
          )}
        </CopyButton>
        <ConfirmButton title={t("assistants.newId")} text={t("assistants.newIdText")} onConfirm={onNewId}>
          {t("assistants.newId")}
        </ConfirmButton>
      </Group>
    </>
  );
}
