import { Button, Group, Stack, Text, Title, VisuallyHidden } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import type { MessageKey } from "../../i18n/catalogue";
import { useMessages } from "../../i18n";
import classes from "./home.module.css";
import { useRecent } from "./recent";

interface Step {
  title: MessageKey;
  text: MessageKey;
  isDone: boolean;
  ways: readonly (readonly [label: MessageKey, to: string])[];
}

/** What is left to do for an organisation that has just come; null for who is beyond that, undefined until it is known. */
export function useSteps(): readonly Step[] | null | undefined {
  const { can } = useMe();
  const mayAdd = can("documents:write") && can("documents:read");
  const documents = useQuery({
    queryKey: ["documents", "any"],
    enabled: mayAdd,
    refetchOnMount: "always",
    queryFn: () => ok(api.GET("/api/documents", { params: { query: { limit: 1 } } })),
  });
  const recent = useRecent();
  if (!mayAdd || documents.error || recent.error) return null;
  if (!documents.data || !recent.data) return undefined;
  const hasDocuments = documents.data.documents.length > 0;
  const hasAsked = recent.data.conversations.length > 0;
  if (hasDocuments && hasAsked) return null;
  const others = [
    ...(can("tenant:admin") ? ([["home.invite", "/app/settings/people"]] as const) : []),
    ...(can("ai:write") ? ([["home.toWebsite", "/app/assistants"]] as const) : []),
  ];
  return [
    { title: "home.stepDocuments", text: "home.beginText", isDone: hasDocuments, ways: [["home.addDocuments", "/app/knowledge"]] },
    {
      title: "home.stepAsk",
      text: "home.stepAskText",
      isDone: hasAsked,
      ways: [
        ["home.ask", "/app/chat"],
        ["home.talk", "/app/voice"],
      ],
    },
    { title: "home.stepOthers", text: "home.stepOthersText", isDone: false, ways: others },
  ];
}

/** The way from an empty organisation to its first answers; the next step has the button that stands out. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  const t = useMessages();
  const next = steps.find(({ isDone }) => !isDone);
  return (
    <Stack component="section" gap="xs">
      <Title order={2}>{t("home.begin")}</Title>
      <ol className={classes.steps}>
        {steps.map((step, index) => (
          <li key={step.title} className={classes.step} data-done={step.isDone || undefined}>
            <span className={classes.stepMark} aria-hidden>
              {step.isDone ? <IconCheck size={16} /> : index + 1}
            </span>
            <div>
              <Text fz="sm" fw={600}>
                {t(step.title)}
                {step.isDone && <VisuallyHidden> ({t("common.completed")})</VisuallyHidden>}
              </Text>
              <Text fz="sm" c="dimmed">
                {t(step.text)}
              </Text>
            </div>
            {!step.isDone && (
              <Group gap="xs" className={classes.stepWays}>
                {step.ways.map(([label, to], way) => (
                  <Button key={to} component={Link} to={to} variant={step === next && way === 0 ? "filled" : "default"} size="sm">
                    {t(label)}
                  </Button>
                ))}
              </Group>
            )}
          </li>
        ))}
      </ol>
    </Stack>
  );
}
