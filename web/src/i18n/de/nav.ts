import type { Like } from "../catalogue";
import type { nav as en } from "../en/nav";

export const nav: Like<typeof en> = {
  overview: "Übersicht",
  chat: "Chat",
  voice: "Sprechen",
  knowledge: "Wissen",
  assistants: "Assistenten",
  insight: "Einblicke",
  settings: "Einstellungen",
  admin: "Verwaltung",
  test: "Testseite",
};
