import { ActionIcon, Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconArrowRight, IconMessageCircle, IconMicrophone } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, ok } from "../../api/client";
import { useMe } from "../../api/me";
import { DateTime } from "../../components/DateTime";
import { Empty } from "../../components/Empty";
import { ErrorNote } from "../../components/ErrorNote";
import { sizeText } from "../../components/FileSize";
import { Page } from "../../components/Page";
import { useLanguage, useMessages } from "../../i18n";
import classes from "./home.module.css";
import { useRecent } from "./recent";
import { Steps, useSteps } from "./Steps";

/** The overview: a question to ask, what is stored and used, and where one left off. */
export default function Dashboard() {
  const t = useMessages();
  const { me, can } = useMe();
  const name = me?.user?.name?.split(" ")[0];
  const steps = useSteps();
  return (
    <Page title={name ? t("home.greeting", { name }) : t("home.greetingLocal")} text={me?.organization ?? ""}>
      {can("chat") && <Ask />}
      {steps && <Steps steps={steps} />}
      {can("analytics:read") && <Figures />}
      {can("ai:write") && <Unanswered />}
      {can("chat") && <Recent isNew={steps !== null} />}
    </Page>
  );
}

function Ask() {
  const t = useMessages();
  const navigate = useNavigate();
  const [question, setQuestion] = useState("");
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    void navigate("/app/chat", { state: { question: question.trim() } });
  };
  return (
    <form onSubmit={submitted} className={classes.ask}>
      <TextInput
        flex={1}
        size="lg"
        radius="lg"
        aria-label={t("home.askPlaceholder")}
        placeholder={t("home.askPlaceholder")}
        value={question}
        onChange={(event) => setQuestion(event.currentTarget.value)}
        rightSectionWidth={52}
        rightSection={
          <ActionIcon component={Link} to="/app/voice" variant="subtle" color="gray" size="lg" radius="md" aria-label={t("home.talk")} title={t("home.talk")}>
            <IconMicrophone size={20} stroke={1.6} aria-hidden />
          </ActionIcon>
        }
      />
      <Button type="submit" size="lg" radius="lg" px={{ base: "md", xs: "xl" }} disabled={!question.trim()} aria-label={t("home.ask")}>
        <Text span inherit visibleFrom="xs" mr="xs">
          {t("home.ask")}
        </Text>
        <IconArrowRight size={20} aria-hidden />
      </Button>
    </form>
  );
}

function Figures() {
  const t = useMessages();
  const { language } = useLanguage();
  const usage = useQuery({ queryKey: ["usage"], queryFn: () => ok(api.GET("/api/tenant/usage")) });
  if (usage.error) return <ErrorNote error={usage.error} onRetry={() => void usage.refetch()} />;
  const found = usage.data;
  const count = (value: number) => value.toLocaleString(language);
  const dollars = (value: number) => value.toLocaleString(language, { style: "currency", currency: "USD" });
  const of = (limit: number | null | undefined, write: (value: number) => string) =>
    limit == null ? undefined : t("home.ofLimit", { limit: write(limit) });
  const size = (bytes: number) => sizeText(bytes, language);
  return (
    <section className={classes.figures}>
      <Figure label={t("home.documents")} number={found && count(found.documents)} />
      <Figure label={t("home.storage")} number={found && size(found.storage_bytes.used)} hint={of(found?.storage_bytes.limit, size)} />
      <Figure label={t("home.calls")} number={found && count(found.api_calls.used)} hint={of(found?.api_calls.limit, count)} />
      <Figure label={t("home.spent")} number={found && dollars(found.cost_usd.used)} hint={of(found?.cost_usd.limit, dollars)} />
    </section>
  );
}

function Figure({ label, number = "–", hint }: { label: string; number?: string | undefined; hint?: string | undefined }) {
  return (
    <div className={classes.figure}>
      <Text fz="sm" c="dimmed">
        {label}
      </Text>
      <div className={classes.number}>{number}</div>
      <Text fz="xs" c="dimmed" mih="1.2em">
        {hint}
      </Text>
    </div>
  );
}

function Unanswered() {
  const t = useMessages();
  const { data } = useQuery({
    queryKey: ["unanswered", "count"],
    queryFn: () => ok(api.GET("/api/knowledge/unanswered", { params: { query: { limit: 100 } } })),
  });
  const count = data?.questions.length ?? 0;
  if (count === 0) return null;
  return (
    <Section title={t("home.unanswered")}>
      <Group justify="space-between" px="lg" py="md">
        <Text fz="sm">{t("home.unansweredText", { count })}</Text>
        <Button component={Link} to="/app/knowledge/unanswered" variant="default" size="xs">
          {t("home.look")}
        </Button>
      </Group>
    </Section>
  );
}

/** Where one left off; what is new has nothing yet, which its steps say already. */
function Recent({ isNew }: { isNew: boolean }) {
  const t = useMessages();
  const recent = useRecent();
  const found = recent.data?.conversations;
  if (isNew && found?.length === 0) return null;
  return (
    <Section title={t("home.recent")}>
      <ErrorNote error={recent.error} onRetry={() => void recent.refetch()} />
      {found?.length === 0 && <Empty icon={IconMessageCircle} title={t("home.noConversations")} text={t("home.noConversationsText")} />}
      {found?.map(({ id, title, last_message_at, created_at }) => (
        <Link key={id} to={`/app/chat/${id}`} className={classes.conversation}>
          <Text fz="sm" fw={500} flex={1} truncate>
            {title || t("home.untitled")}
          </Text>
          <Text fz="xs" c="dimmed" style={{ flex: "none" }}>
            <DateTime at={last_message_at ?? created_at} />
          </Text>
        </Link>
      ))}
    </Section>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack component="section" gap="xs">
      <Title order={2}>{title}</Title>
      <div className={classes.panel}>{children}</div>
    </Stack>
  );
}
