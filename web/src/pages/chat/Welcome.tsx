import { Text, Title } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import { InWork, LOOK_EVERY_MS, useInWork } from "./InWork";
import { suggestions } from "./suggestions";
import classes from "./chat.module.css";

const READ = 50;

/** Where nothing is asked yet: who answers, and questions that its documents are likely to answer. */
export function Welcome({ assistant, onAsk }: { assistant: Schemas["AgentCard"] | undefined; onAsk: (question: string) => void }) {
  const t = useMessages();
  const { can } = useMe();
  const isInWork = useInWork() > 0;
  const documents = useQuery({
    queryKey: ["documents", "titles"],
    enabled: can("documents:read"),
    refetchInterval: isInWork ? LOOK_EVERY_MS : false,
    queryFn: () => ok(api.GET("/api/documents", { params: { query: { limit: READ, status: "processed" } } })),
  });
  const isEmpty = documents.data?.documents.length === 0;
  const found = documents.data ? suggestions(documents.data.documents, assistant?.assistant_key) : [];
  return (
    <div className={classes.welcome}>
      <div className={classes.welcomeInner}>
        <Title order={2} fz="xl" ta="center">
          {assistant?.greeting || t("chat.welcome")}
        </Title>
        <Text c="dimmed" ta="center">
          {t(isEmpty && !isInWork ? "chat.noDocuments" : "chat.welcomeText")}
        </Text>
        <InWork />
        {found.length > 0 && (
          <ul className={classes.suggestions} aria-label={t("chat.suggestions")}>
            {found.map(({ kind, title }) => {
              const question = t(`chat.${kind}`, { title });
              return (
                <li key={question}>
                  <button type="button" className={classes.suggestion} onClick={() => onAsk(question)}>
                    <span>{question}</span>
                    <IconArrowRight size={16} aria-hidden />
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        {isEmpty && !isInWork && can("documents:write") && (
          <Text ta="center" fz="sm">
            <Link to="/app/knowledge" className={classes.link}>
              {t("home.addDocuments")}
            </Link>
          </Text>
        )}
      </div>
    </div>
  );
}
