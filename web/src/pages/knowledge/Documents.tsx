import { Button, Group, Menu, Select, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconBook2, IconChevronDown, IconLink, IconSearch, IconTextPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useRows } from "../../api/pages";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { RowList } from "../../components/RowList";
import { useMessages } from "../../i18n";
import { AddAddresses } from "./AddAddresses";
import { AddText } from "./AddText";
import { DocumentRow } from "./DocumentRow";
import { useLiveDocuments } from "./live";
import { Tabs } from "./Tabs";
import { Choose, DropTarget } from "./uploads/DropTarget";
import { Uploads } from "./uploads/Uploads";
import { useAssistants, useTags } from "./useAssistants";

type Status = Schemas["DocumentView"]["status"];
const PAGE = 100;

/** All documents, how each stands, and the ways to add some. */
export default function Documents() {
  const t = useMessages();
  const { can } = useMe();
  const mayWrite = can("documents:write");
  return (
    <Page title={t("knowledge.title")} text={t("knowledge.text")} actions={mayWrite && <More />}>
      <Tabs />
      <DropTarget isOn={mayWrite}>
        {mayWrite && <Choose />}
        <Uploads />
        <List />
      </DropTarget>
    </Page>
  );
}

function More() {
  const t = useMessages();
  const [isText, text] = useDisclosure();
  const [isAddress, address] = useDisclosure();
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            {t("knowledge.addOther")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconLink size={16} aria-hidden />} onClick={address.open}>
            {t("knowledge.addAddress")}
          </Menu.Item>
          <Menu.Item leftSection={<IconTextPlus size={16} aria-hidden />} onClick={text.open}>
            {t("knowledge.addText")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <AddText isOpen={isText} onClose={text.close} />
      <AddAddresses isOpen={isAddress} onClose={address.close} />
    </>
  );
}

interface Asked {
  status?: Status;
  assistant_key?: string;
  tag?: string;
  q?: string;
}

function List() {
  const [params] = useSearchParams();
  const [name, setName] = useState(params.get("q") ?? "");
  const [q] = useDebouncedValue(name.trim(), 250);
  const [status, assistant, tag] = [params.get("status"), params.get("assistant"), params.get("tag")];
  useLiveDocuments();
  return (
    <>
      <Filters name={name} onName={setName} />
      <Found asked={{ ...(status ? { status: status as Status } : {}), ...(assistant ? { assistant_key: assistant } : {}), ...(tag ? { tag } : {}), ...(q ? { q } : {}) }} />
    </>
  );
}

function Filters({ name, onName }: { name: string; onName: (name: string) => void }) {
  const t = useMessages();
  const [params, setParams] = useSearchParams();
  const assistants = useAssistants();
  const tags = useTags();
  const tag = params.get("tag");
  const states = (["queued", "running", "processed", "failed", "cancelled"] as const).map((value) => ({
    value,
    label: value === "failed" ? t("common.failedState") : t(`common.${value}`),
  }));
  const about = (key: "status" | "assistant" | "tag") => ({
    flex: "1 1 8rem",
    clearable: true,
    value: params.get(key),
    onChange: (value: string | null) => setParams((before) => (value ? before.set(key, value) : before.delete(key), before), { replace: true }),
  });
  return (
    <Group gap="xs" role="search">
      <TextInput
        flex="2 1 14rem"
        aria-label={t("knowledge.searchName")}
        placeholder={t("knowledge.searchName")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={name}
        onChange={(event) => onName(event.currentTarget.value)}
      />
      <Select {...about("status")} aria-label={t("knowledge.state")} placeholder={t("knowledge.anyState")} data={states} />
      {assistants.length > 1 && <Select {...about("assistant")} aria-label={t("knowledge.assistant")} placeholder={t("knowledge.anyAssistant")} data={assistants} />}
      {(tags.length > 0 || tag) && (
        <Select {...about("tag")} aria-label={t("knowledge.tag")} placeholder={t("knowledge.anyTag")} data={tag && !tags.includes(tag) ? [tag, ...tags] : tags} searchable />
      )}
    </Group>
  );
}

/** What is found; apart from the filters, which need not be drawn again with each page that is read. */
function Found({ asked }: { asked: Asked }) {
  const t = useMessages();
  const rows = useRows(["documents", "list", asked], async (after, signal) => {
    const page = await ok(api.GET("/api/documents", { params: { query: { limit: PAGE, ...asked, ...(after ? { after } : {}) } }, signal }));
    return { rows: page.documents, next: page.next };
  });
  return (
    <RowList
      rows={rows}
      rowKey={(row) => row.id}
      label={t("knowledge.documents")}
      guessPx={65}
      height="max(24rem, calc(100dvh - 22rem))"
      empty={
        Object.keys(asked).length > 0 ? (
          <Empty icon={IconSearch} title={t("knowledge.nothingFound")} text={t("knowledge.nothingFoundText")} />
        ) : (
          <Empty icon={IconBook2} title={t("knowledge.none")} text={t("knowledge.noneText")} />
        )
      }
    >
      {(row) => <DocumentRow document={row} />}
    </RowList>
  );
}
