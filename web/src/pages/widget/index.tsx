import { Anchor, ColorInput, Group, Input, List, SegmentedControl, Select, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, ok, type Schemas } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { Snippet } from "../assistants/Snippet";
import { attributesOf, type Looks } from "./line";
import { Preview } from "./Preview";
import classes from "./widget.module.css";

const DEFAULT = "default-assistant";

/** How an assistant is put on another site: turn it on, choose its looks, copy one line, and try it out beside that. */
export default function Widget() {
  const t = useMessages();
  const [asked, setAsked] = useSearchParams();
  const { data, error, refetch } = useQuery({
    queryKey: ["agents", "names"],
    staleTime: 60_000,
    queryFn: () => ok(api.GET("/api/agents", { params: { query: { limit: 200 } } })),
  });
  const wanted = asked.get("assistant") ?? DEFAULT;
  const agents = data?.agents ?? [];
  const agent = agents.find(({ assistant_key }) => assistant_key === wanted) ?? agents[0];
  return (
    <Page title={t("widget.title")} text={t("widget.text")}>
      <ErrorNote error={error} onRetry={() => void refetch()} />
      {!data && !error && <Loading />}
      {agent && <Workbench key={agent.assistant_key} agent={agent} agents={agents} onAgent={(assistant) => setAsked({ assistant }, { replace: true })} />}
    </Page>
  );
}

interface Props {
  agent: Schemas["AgentCard"];
  agents: readonly Schemas["AgentCard"][];
  onAgent: (key: string) => void;
}

function Workbench({ agent, agents, onAgent }: Props) {
  const t = useMessages();
  const [looks, setLooks] = useState<Looks>({ side: "right", language: "", colour: "" });
  const put = (change: Partial<Looks>) => setLooks((before) => ({ ...before, ...change }));
  return (
    <div className={classes.page}>
      <Stack gap="xl" miw={0}>
        <Panel title={t("widget.looks")} text={t("widget.looksText")}>
          <Stack gap="md">
            <Select
              label={t("widget.assistant")}
              data={agents.map(({ assistant_key, name }) => ({ value: assistant_key, label: name }))}
              value={agent.assistant_key}
              allowDeselect={false}
              onChange={(key) => key && onAgent(key)}
            />
            <Group grow align="flex-start">
              <Input.Wrapper labelElement="div" label={t("widget.side")}>
                <SegmentedControl
                  fullWidth
                  aria-label={t("widget.side")}
                  value={looks.side}
                  data={[
                    { value: "left", label: t("widget.left") },
                    { value: "right", label: t("widget.right") },
                  ]}
                  onChange={(side) => put({ side: side as Looks["side"] })}
                />
              </Input.Wrapper>
              <Select
                label={t("widget.language")}
                value={looks.language}
                allowDeselect={false}
                data={[
                  { value: "", label: t("widget.ofPage") },
                  { value: "en", label: "English" },
                  { value: "de", label: "Deutsch" },
                ]}
                onChange={(language) => put({ language: (language ?? "") as Looks["language"] })}
              />
            </Group>
            <ColorInput label={t("widget.colour")} description={t("widget.colourHint")} value={looks.colour} format="hex" withEyeDropper={false} onChange={(colour) => put({ colour })} />
          </Stack>
        </Panel>
        <Panel title={t("widget.put")}>
          <Snippet agent={agent} attributes={attributesOf(looks)} />
        </Panel>
        <Panel title={t("widget.know")}>
          <List fz="sm" spacing="xs">
            <List.Item>{t("widget.knowPolicy", { origin: location.origin })}</List.Item>
            <List.Item>{t("widget.knowVoice")}</List.Item>
            <List.Item>{t("widget.knowLimits")}</List.Item>
            <List.Item>
              {t("widget.knowBranding")}{" "}
              <Anchor component={Link} to="/app/settings/branding" fz="sm">
                {t("widget.branding")}
              </Anchor>
            </List.Item>
          </List>
        </Panel>
      </Stack>
      <Preview assistantKey={agent.assistant_key} looks={looks} />
    </div>
  );
}
