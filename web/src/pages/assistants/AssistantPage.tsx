import { Alert, Button, Menu, Switch, Tabs, Text } from "@mantine/core";
import { IconArrowLeft, IconDots } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useBlocker, useNavigate, useParams } from "react-router";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { useTold } from "../../components/useTold";
import { useMessages } from "../../i18n";
import classes from "./assistants.module.css";
import { type Agent, changesOf, type Draft, draftOf, type Put } from "./draft";
import { Leave } from "./Leave";
import { Limits } from "./Limits";
import { Models } from "./Models";
import { Remove } from "./Remove";
import { Snippet } from "./Snippet";
import { TestChat } from "./TestChat";
import { Voice } from "./Voice";
import { Words } from "./Words";

const DEFAULT = "default-assistant";

/** An assistant: everything that can be set, and a live test beside it. */
export default function AssistantPage() {
  const t = useMessages();
  const { key = "" } = useParams();
  const found = useQuery({
    queryKey: ["agents", "one", key],
    refetchOnWindowFocus: false,
    queryFn: () => ok(api.GET("/api/agents/{key}", { params: { path: { key } } })) as Promise<Agent>,
  });
  if (found.error && !found.data)
    return (
      <Page title={t("assistants.title")}>
        <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
      </Page>
    );
  if (!found.data) return <Loading />;
  return <Workbench key={found.data.assistant_key} agent={found.data} />;
}

function Workbench({ agent }: { agent: Agent }) {
  const t = useMessages();
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(agent));
  const changes = changesOf(agent, draft);
  const isChanged = Object.keys(changes).length > 0;
  const put: Put = (name, value) => setDraft((before) => ({ ...before, [name]: value }));
  const save = useMutation({
    mutationFn: (given: Partial<Draft>) => change(agent, given),
    onSuccess: (saved) => {
      client.setQueryData(["agents", "one", agent.assistant_key], saved);
      setDraft(draftOf(saved));
      void client.invalidateQueries({ queryKey: ["agents", "list"] });
      void client.invalidateQueries({ queryKey: ["agents", "names"] });
    },
  });
  useKept(isChanged);
  const blocker = useBlocker(({ currentLocation, nextLocation }) => isChanged && currentLocation.pathname !== nextLocation.pathname);
  return (
    <Page title={agent.name} text={agent.assistant_key} actions={<Acts agent={agent} onActive={(is_active) => save.mutate({ is_active })} />}>
      <div style={{ marginTop: -16 }}>
        <Button component={Link} to="/app/assistants" variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={16} aria-hidden />}>
          {t("assistants.all")}
        </Button>
      </div>
      <div className={classes.workbench}>
        <div style={{ minWidth: 0 }}>
          <Settings agent={agent} draft={draft} put={put} />
          {save.error && <Refusal error={save.error} agent={agent} />}
          <div className={classes.save}>
            <Button disabled={!isChanged} loading={save.isPending} onClick={() => save.mutate(changes)}>
              {t("common.save")}
            </Button>
            {isChanged && (
              <Button variant="default" onClick={() => setDraft(draftOf(agent))}>
                {t("assistants.undo")}
              </Button>
            )}
            <Text fz="sm" c="dimmed" role="status" flex="1 1 8rem">
              {isChanged ? t("assistants.unsaved") : t("assistants.saved")}
            </Text>
          </div>
        </div>
        <TestChat agent={agent} draft={draft} changes={changes} onSave={() => save.mutateAsync(changes)} />
      </div>
      {blocker.state === "blocked" && <Leave onStay={() => blocker.reset()} onLeave={() => blocker.proceed()} />}
    </Page>
  );
}

function Settings({ agent, draft, put }: { agent: Agent; draft: Draft; put: Put }) {
  const t = useMessages();
  return (
    <Tabs defaultValue="words" keepMounted={false}>
      <Tabs.List mb="lg" className={classes.tabs!}>
        <Tabs.Tab value="words">{t("assistants.words")}</Tabs.Tab>
        <Tabs.Tab value="voice">{t("assistants.voice")}</Tabs.Tab>
        <Tabs.Tab value="knowledge">{t("assistants.knowledge")}</Tabs.Tab>
        <Tabs.Tab value="models">{t("assistants.models")}</Tabs.Tab>
        <Tabs.Tab value="site">{t("assistants.site")}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="words">
        <Words draft={draft} put={put} />
      </Tabs.Panel>
      <Tabs.Panel value="voice">
        <Voice draft={draft} put={put} />
      </Tabs.Panel>
      <Tabs.Panel value="knowledge">
        <Limits draft={draft} put={put} />
      </Tabs.Panel>
      <Tabs.Panel value="models">
        <Models draft={draft} put={put} />
      </Tabs.Panel>
      <Tabs.Panel value="site">
        <Snippet agent={agent} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Acts({ agent, onActive }: { agent: Agent; onActive: (is: boolean) => void }) {
  const t = useMessages();
  const told = useTold();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isLeaving, setLeaving] = useState(false);
  const duplicate = async () => {
    const given = body<Schemas["DuplicateBody"]>({ assistant_key: `${agent.assistant_key.slice(0, 50)}-${Date.now().toString(36).slice(-5)}` });
    const made = await ok(api.POST("/api/agents/{key}/duplicate", { params: { path: { key: agent.assistant_key } }, body: given }));
    void client.invalidateQueries({ queryKey: ["agents"] });
    void navigate(`/app/assistants/${made.assistant_key}`);
  };
  return (
    <>
      <Switch label={t("assistants.active")} checked={agent.is_active} onChange={(event) => onActive(event.currentTarget.checked)} />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" aria-label={t("assistants.more")} px="xs">
            <IconDots size={18} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void duplicate().catch(told)}>
            {t("assistants.duplicate")}
          </Menu.Item>
          {agent.assistant_key !== DEFAULT && (
            <Menu.Item c="var(--mantine-color-error)" onClick={() => setLeaving(true)}>
              {t("common.delete")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {isLeaving && <Remove agent={agent} onClose={() => setLeaving(false)} />}
    </>
  );
}

/** Says why it was not saved; where somebody else was faster, offers what they made of it. */
function Refusal({ error, agent }: { error: Error; agent: Agent }) {
  const t = useMessages();
  const client = useQueryClient();
  if (asProblem(error).status !== 412) return <ErrorNote error={error} />;
  return (
    <Alert color="orange" mt="md" title={t("assistants.changedElsewhere")}>
      <Text fz="sm">{t("assistants.changedElsewhereText")}</Text>
      <Button mt="xs" size="xs" variant="default" onClick={() => void client.invalidateQueries({ queryKey: ["agents", "one", agent.assistant_key] })}>
        {t("common.reload")}
      </Button>
    </Alert>
  );
}

function change(agent: Agent, given: Partial<Draft>): Promise<Agent> {
  return ok(
    api.PATCH("/api/agents/{key}", {
      params: { path: { key: agent.assistant_key } },
      // The document cannot say what is in a dictionary with checked names.
      body: given as Schemas["AgentChange"],
      headers: { "If-Match": `"${agent.revision}"` },
    }),
  );
}

/** Has the browser ask before a page with changes is closed. */
function useKept(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isChanged]);
}
