import {
  IconBook2,
  IconChartDots,
  IconHome,
  IconMessageCircle,
  IconMicrophone,
  IconSettings,
  IconServerCog,
  IconSparkles,
  type TablerIcon,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Permission } from "./api/me";
import { allMessages } from "./i18n";
import type { MessageKey } from "./i18n/catalogue";
import { type LazyPart, lazily } from "./lazily";

export interface Area {
  path: string;
  label: MessageKey;
  icon?: TablerIcon;
  /** Who may see it; a link that leads to a refusal is none. */
  needs?: Permission;
  Component: LazyPart;
}

/** Returns a part that is loaded when it is opened, and every message with the first of them. */
const area = (load: () => Promise<{ default: ComponentType }>) =>
  lazily(async () => {
    const [page] = await Promise.all([load(), allMessages()]);
    return page;
  });

/**
 * The parts of the application, as the navigation shows them; those without an icon are not in it.
 *
 * Each is a chunk of its own and has its pages below its path (`<Routes>`).
 */
export const AREAS: readonly Area[] = [
  { path: "/app", label: "nav.overview", icon: IconHome, Component: lazily(() => import("./pages/home/Dashboard")) },
  { path: "/app/chat", label: "nav.chat", icon: IconMessageCircle, needs: "chat", Component: area(() => import("./pages/chat")) },
  { path: "/app/voice", label: "nav.voice", icon: IconMicrophone, needs: "chat", Component: area(() => import("./pages/voice")) },
  { path: "/app/knowledge", label: "nav.knowledge", icon: IconBook2, needs: "documents:read", Component: area(() => import("./pages/knowledge")) },
  { path: "/app/assistants", label: "nav.assistants", icon: IconSparkles, needs: "ai:write", Component: area(() => import("./pages/assistants")) },
  { path: "/app/insight", label: "nav.insight", icon: IconChartDots, needs: "analytics:read", Component: area(() => import("./pages/insight")) },
  { path: "/app/settings", label: "nav.settings", icon: IconSettings, Component: area(() => import("./pages/settings")) },
  { path: "/admin", label: "nav.admin", icon: IconServerCog, needs: "tenant:admin", Component: area(() => import("./pages/admin")) },
  { path: "/widget", label: "widget.title", needs: "ai:write", Component: area(() => import("./pages/widget")) },
  { path: "/test", label: "nav.test", Component: area(() => import("./pages/test")) },
];
