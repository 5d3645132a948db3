import { type ComponentType } from "react";
import { Route, Routes } from "react-router";
import { type Permission, useMe } from "../../api/me";
import { Page } from "../../components/Page";
import { Ways } from "../../components/Ways";
import { useMessages } from "../../i18n";
import type { MessageKey } from "../../i18n/catalogue";
import NotFound from "../NotFound";
import { Audit } from "./Audit";
import { Costs } from "./Costs";
import { DeadLetters } from "./DeadLetters";
import { Health } from "./Health";
import { Queues } from "./Queues";
import { Tenants } from "./Tenants";

interface Part {
  path: string;
  label: MessageKey;
  needs: Permission;
  Component: ComponentType;
}

// `/admin/health` and `/admin/costs` are routes of the API: these pages are named otherwise.
const PARTS: readonly Part[] = [
  { path: "", label: "admin.health", needs: "tenant:admin", Component: Health },
  { path: "pools", label: "admin.queues", needs: "operate", Component: Queues },
  { path: "dead-letters", label: "admin.deadLetters", needs: "documents:read", Component: DeadLetters },
  { path: "tenants", label: "admin.tenants", needs: "operate", Component: Tenants },
  { path: "spending", label: "admin.costs", needs: "tenant:admin", Component: Costs },
  { path: "audit", label: "admin.audit", needs: "tenant:admin", Component: Audit },
];

/** What an admin sees of their organisation, and the operator of all. */
export default function Admin() {
  const t = useMessages();
  const { can } = useMe();
  const open = PARTS.filter(({ needs }) => can(needs));
  return (
    <Page title={t("admin.title")} text={t(can("operate") ? "admin.textOperator" : "admin.text")}>
      <Ways label={t("admin.title")} ways={open.map(({ path, label }) => ({ to: `/admin${path && `/${path}`}`, label: t(label) }))}>
        <Routes>
          {open.map(({ path, Component }) => (
            <Route key={path} path={path} element={<Component />} />
          ))}
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Ways>
    </Page>
  );
}
