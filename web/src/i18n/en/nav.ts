export const nav = {
  overview: "Overview",
  chat: "Chat",
  voice: "Voice",
  knowledge: "Knowledge",
  assistants: "Assistants",
  insight: "Insight",
  settings: "Settings",
  admin: "Administration",
  test: "Test page",
} as const;
