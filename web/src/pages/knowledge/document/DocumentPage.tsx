import { Button, Menu, Tabs, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowLeft, IconChevronDown } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { body } from "../../../api/body";
import { api, ok, type Schemas } from "../../../api/client";
import { useMe } from "../../../api/me";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { ErrorNote } from "../../../components/ErrorNote";
import { Loading } from "../../../components/Loading";
import { Page } from "../../../components/Page";
import { useTold } from "../../../components/useTold";
import { useMessages } from "../../../i18n";
import { workEvents } from "../follow";
import classes from "../knowledge.module.css";
import { Chunks } from "./Chunks";
import { Facts } from "./Facts";
import { Pages } from "./Pages";
import { Standing } from "./Standing";
import { Versions } from "./Versions";

type Document = Schemas["DocumentView"];

/** A document: what was read of it, how it is cut, its pages, its versions, and what can be done with it. */
export default function DocumentPage() {
  const t = useMessages();
  const { id = "" } = useParams();
  const found = useDocument(id);
  const document = found.data;
  if (found.error && !document)
    return (
      <Page title={t("knowledge.title")}>
        <ErrorNote error={found.error} onRetry={() => void found.refetch()} />
        <Back />
      </Page>
    );
  if (!document) return <Loading />;
  return (
    <Page title={document.title || document.filename} actions={<Acts document={document} />}>
      <Back />
      <Standing document={document} />
      <div className={classes.split}>
        <Contents key={`${document.id}-${document.version}`} document={document} />
        <Facts document={document} />
      </div>
    </Page>
  );
}

function Back() {
  const t = useMessages();
  return (
    <div style={{ marginTop: -16 }}>
      <Button component={Link} to="/app/knowledge" variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={16} aria-hidden />}>
        {t("knowledge.allDocuments")}
      </Button>
    </div>
  );
}

function Contents({ document }: { document: Document }) {
  const t = useMessages();
  const [marked, setMarked] = useState<Schemas["ChunkView"] | null>(null);
  const [tab, setTab] = useState<string | null>("chunks");
  const hasPages = (document.pages ?? 0) > 0 && ["pdf", "png", "jpg", "jpeg", "tiff", "tif", "webp", "gif", "bmp"].includes(document.file_type);
  const show = (chunk: Schemas["ChunkView"]) => {
    setMarked(chunk);
    setTab("pages");
  };
  return (
    <Tabs value={tab} onChange={setTab} keepMounted={false} miw={0}>
      <Tabs.List mb="md">
        <Tabs.Tab value="chunks">{t("knowledge.chunks")}</Tabs.Tab>
        {hasPages && <Tabs.Tab value="pages">{t("knowledge.pages")}</Tabs.Tab>}
        <Tabs.Tab value="versions">{t("knowledge.versions")}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="chunks">
        <Chunks document={document} {...(hasPages ? { onShow: show } : {})} />
      </Tabs.Panel>
      <Tabs.Panel value="pages">
        <Pages document={document} marked={marked} />
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Versions document={document} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Acts({ document }: { document: Document }) {
  const t = useMessages();
  const told = useTold();
  const { can } = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const name = document.title || document.filename;
  if (!can("documents:write")) return null;
  const at = { params: { path: { id: document.id } } };
  const again = (reread: boolean) => () =>
    void ok(api.POST("/api/documents/{id}/reindex", { ...at, body: body<Schemas["ReindexBody"]>({ reread }) }))
      .then(() => client.invalidateQueries({ queryKey: ["documents", "one", document.id] }))
      .catch(told);
  const remove = async () => {
    const receipt = await ok(api.DELETE("/api/documents/{id}", at));
    void client.invalidateQueries({ queryKey: ["documents"] });
    notifications.show({
      title: t("knowledge.deleted", { name: receipt.filename }),
      message: t("knowledge.receipt", { chunks: receipt.chunks_deleted, objects: receipt.objects_deleted }),
      autoClose: 10_000,
    });
    void navigate("/app/knowledge", { replace: true });
  };
  return (
    <>
      <Menu position="bottom-end" width={320}>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            {t("knowledge.reindex")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={again(false)}>
            {t("knowledge.recut")}
            <Text fz="xs" c="dimmed">
              {t("knowledge.recutHint")}
            </Text>
          </Menu.Item>
          <Menu.Item onClick={again(true)}>
            {t("knowledge.reread")}
            <Text fz="xs" c="dimmed">
              {t("knowledge.rereadHint")}
            </Text>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmButton title={t("knowledge.deleteTitle", { name })} text={t("knowledge.deleteText")} onConfirm={remove}>
        {t("common.delete")}
      </ConfirmButton>
    </>
  );
}

/** Reads a document, and again at each event of its work. */
function useDocument(id: string) {
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["documents", "one", id], queryFn: () => ok(api.GET("/api/documents/{id}", { params: { path: { id } } })) });
  const status = found.data?.status;
  const isOpen = status === "queued" || status === "running";
  useEffect(() => {
    if (!isOpen) return;
    const stop = new AbortController();
    const key = ["documents", "one", id];
    const follow = async () => {
      for await (const event of workEvents(id, stop.signal)) if (event.id) void client.invalidateQueries({ queryKey: key });
      await client.invalidateQueries({ queryKey: key });
      void client.invalidateQueries({ queryKey: ["chunks", id] });
    };
    void follow().catch(() => undefined);
    return () => stop.abort();
  }, [id, isOpen, client]);
  return found;
}
