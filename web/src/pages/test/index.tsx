import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../../api/me";
import { Page } from "../../components/Page";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { exchange } from "./exchange";
import { Speech } from "./Speech";
import { Trial } from "./Trial";

/** Each part of the API at the press of a button, with the request that went and the reply that came. */
export default function Test() {
  const t = useMessages();
  const { can } = useMe();
  const [question, setQuestion] = useState(t("test.sampleQuestion"));
  const [search, setSearch] = useState(t("test.sampleSearch"));
  const get = (path: string) => () => exchange("GET", path);
  return (
    <Page title={t("test.title")} text={t("test.text")}>
      <Panel title={t("test.health")} isList>
        <Trial label={t("test.lives")} send={get("/health")} />
        <Trial label={t("test.ready")} send={get("/health/ready")} />
        <Trial label={t("test.me")} send={get("/api/me")} />
      </Panel>
      {can("chat") && (
        <Panel title={t("test.chat")} isList>
          <Trial label={t("test.ask")} send={question ? () => exchange("POST", "/api/chat", { message: question }) : null}>
            <TextInput label={t("test.question")} value={question} onChange={(event) => setQuestion(event.currentTarget.value)} flex="1 1 16rem" />
          </Trial>
          <Trial label={t("test.find")} send={search ? get(`/api/knowledge/search?limit=5&query=${encodeURIComponent(search)}`) : null}>
            <TextInput label={t("test.words")} value={search} onChange={(event) => setSearch(event.currentTarget.value)} flex="1 1 16rem" />
          </Trial>
        </Panel>
      )}
      {can("chat") && <Speech />}
      {(can("tenant:admin") || can("operate")) && (
        <Panel title={t("test.admin")} isList>
          <Trial label={t("test.providers")} send={get("/admin/health")} />
          <Trial label={t("test.costs")} send={get("/admin/costs")} />
          <Trial label={t("test.usage")} send={get("/api/tenant/usage")} />
          <Trial label={t("test.latency")} send={get("/api/analytics/latency")} />
          <Trial label={t("test.audit")} send={get("/api/tenant/audit?limit=5")} />
          {can("operate") && <Trial label={t("test.queues")} send={get("/admin/queues")} />}
        </Panel>
      )}
    </Page>
  );
}
