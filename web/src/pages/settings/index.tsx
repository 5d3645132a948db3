import { type ComponentType } from "react";
import { Route, Routes } from "react-router";
import { type Permission, useMe } from "../../api/me";
import { Page } from "../../components/Page";
import { Ways } from "../../components/Ways";
import { useMessages } from "../../i18n";
import type { MessageKey } from "../../i18n/catalogue";
import NotFound from "../NotFound";
import { Account } from "./Account";
import { Branding } from "./Branding";
import { Endpoint } from "./Endpoint";
import { Keys } from "./Keys";
import { Memory } from "./Memory";
import { People } from "./People";
import { Persona } from "./Persona";
import { Privacy } from "./Privacy";
import { Providers } from "./Providers";
import { Usage } from "./Usage";
import { Webhooks } from "./Webhooks";

interface Part {
  path: string;
  label: MessageKey;
  needs?: Permission;
  Component: ComponentType;
}

const PARTS: readonly Part[] = [
  { path: "", label: "settings.persona", needs: "chat", Component: Persona },
  { path: "memory", label: "settings.memory", needs: "chat", Component: Memory },
  { path: "account", label: "settings.account", Component: Account },
  { path: "people", label: "settings.people", needs: "tenant:admin", Component: People },
  { path: "keys", label: "settings.keys", needs: "tenant:admin", Component: Keys },
  { path: "providers", label: "settings.providers", needs: "tenant:admin", Component: Providers },
  { path: "branding", label: "settings.branding", needs: "tenant:admin", Component: Branding },
  { path: "webhooks", label: "settings.webhooks", needs: "webhooks", Component: Webhooks },
  { path: "usage", label: "settings.usage", needs: "analytics:read", Component: Usage },
  { path: "privacy", label: "settings.privacy", Component: Privacy },
];

/** One's own settings, and those of the organisation for who may change them. */
export default function Settings() {
  const t = useMessages();
  const { can } = useMe();
  const open = PARTS.filter(({ needs }) => !needs || can(needs));
  return (
    <Page title={t("settings.title")}>
      <Ways label={t("settings.title")} ways={open.map(({ path, label }) => ({ to: `/app/settings${path && `/${path}`}`, label: t(label) }))}>
        <Routes>
          {open.map(({ path, Component }) => (
            <Route key={path} path={path} element={<Component />} />
          ))}
          {can("webhooks") && <Route path="webhooks/:id" element={<Endpoint />} />}
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Ways>
    </Page>
  );
}
