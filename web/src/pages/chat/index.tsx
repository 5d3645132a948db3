import "@mantine/dropzone/styles.layer.css";
import { Button, Drawer, Text } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { useDisclosure } from "@mantine/hooks";
import { IconFileUpload, IconPlus } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { Route, Routes, useLocation, useNavigate, useParams } from "react-router";
import { useMe } from "../../api/me";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Page } from "../../components/Page";
import { useMessages } from "../../i18n";
import { Announcer } from "./Announcer";
import classes from "./chat.module.css";
import type { Place } from "./citations";
import { Composer } from "./Composer";
import type { AskedFile } from "./exchange";
import { History } from "./History";
import { SourcePanel } from "./SourcePanel";
import { Thread } from "./Thread";
import { lastChosen, TopBar } from "./TopBar";
import { useAttached } from "./useAttached";
import { useAssistants, useAbout, useConversation } from "./useConversation";
import { useDraft } from "./useDraft";
import { Welcome } from "./Welcome";

const DEFAULT = "default-assistant";

/** Chat. One route, so that a conversation which gets its address while it is answered stays the same page. */
export default function ChatArea() {
  return (
    <Routes>
      <Route path=":id?" element={<Chat />} />
    </Routes>
  );
}

function Chat() {
  const t = useMessages();
  const { id } = useParams();
  const { can } = useMe();
  const navigate = useNavigate();
  const location = useLocation();
  const queries = useQueryClient();
  const conversation = useConversation(id);
  const { assistants, isKnown } = useAssistants();
  const about = useAbout(id);
  const attaching = useAttached();
  const field = useRef<HTMLTextAreaElement>(null);
  const draft = useDraft(id);
  const [place, setPlace] = useState<Place | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isHistoryOpen, history] = useDisclosure();
  const [chosen, setChosen] = useState<{ key: string; in: string | undefined } | null>(null);
  const { current, begunId, ask: send } = conversation;

  const known = (key: string | null | undefined) => assistants.find(({ assistant_key }) => assistant_key === key);
  const here = chosen?.in === id ? chosen?.key : null;
  const assistant = known(here) ?? known(about?.assistant_key) ?? known(lastChosen()) ?? known(DEFAULT) ?? assistants[0];
  const assistantKey = assistant?.assistant_key ?? DEFAULT;

  const ask = useCallback(
    (question: string, files: readonly AskedFile[] = []) => {
      setError(null);
      send({ question, assistantKey, conversationId: id ?? null, files });
    },
    [send, assistantKey, id],
  );
  const stop = () => {
    if (current) conversation.stop(current).catch(setError);
  };
  const onSend = (question: string, files: readonly AskedFile[]) => {
    ask(question, files);
    draft.write("");
    attaching.clear();
  };

  // A question that was begun on the overview is asked once, also where the page is loaded again.
  const handed = (location.state as { question?: string } | null)?.question;
  const take = useEffectEvent((question: string) => {
    void navigate("/app/chat", { replace: true, state: null });
    ask(question);
  });
  const taken = useRef("");
  useEffect(() => {
    if (!handed || taken.current === location.key || !isKnown) return;
    taken.current = location.key;
    take(handed);
  }, [handed, location.key, isKnown]);

  const named = useEffectEvent((named: string) => {
    if (id) return;
    draft.carry(named);
    void navigate(`/app/chat/${named}`, { replace: true });
  });
  useEffect(() => {
    if (begunId) named(begunId);
  }, [begunId]);
  // A conversation is listed once something was said in it.
  const isIdle = current === undefined;
  const wasIdle = useRef(true);
  useEffect(() => {
    if (isIdle && !wasIdle.current) void queries.invalidateQueries({ queryKey: ["conversations"] });
    wasIdle.current = isIdle;
  }, [isIdle, queries]);

  const pressed = useEffectEvent((event: KeyboardEvent) => {
    // What lies above the page closes first. A list that is closed may stay in the document.
    const above = [...document.querySelectorAll("[role=dialog], [role=menu], [role=listbox]")];
    if (event.key === "Escape" && current && !above.some((each) => each.checkVisibility())) stop();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);

  const begin = () => {
    conversation.forget();
    history.close();
    void navigate("/app/chat");
    field.current?.focus();
  };
  useEffect(history.close, [id, history.close]);
  const onDeleted = (gone: string) => gone === id && begin();
  const list = <History current={id} onDeleted={onDeleted} />;
  const isEmpty = conversation.rounds.length === 0;
  // It gets its address while it is answered, and stays the same page.
  const pageKey = id && id !== begunId ? id : "begun";

  return (
    <Page title={about?.title || t("nav.chat")} width="full" isTitleHidden>
      <Dropzone.FullScreen
        active={can("documents:write")}
        activateOnKeyboard={false}
        aria-hidden
        onDrop={(files) => {
          attaching.add(files, assistantKey);
          field.current?.focus();
        }}
      >
        <div className={classes.drop}>
          <IconFileUpload size={40} stroke={1.4} aria-hidden />
          <Text fw={550}>{t("chat.drop")}</Text>
          <Text fz="sm" c="dimmed">
            {t("chat.dropText", { name: assistant?.name ?? "" })}
          </Text>
        </div>
      </Dropzone.FullScreen>
      <div className={classes.chat}>
        <aside className={classes.aside} aria-label={t("chat.history")}>
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={begin} fullWidth>
            {t("chat.new")}
          </Button>
          {list}
        </aside>
        <section className={classes.main}>
          <Announcer exchanges={conversation.exchanges} />
          <TopBar
            title={about?.title}
            assistants={assistants}
            assistantKey={assistant?.assistant_key ?? null}
            onAssistant={(key) => setChosen({ key, in: id })}
            onHistory={history.open}
            onNew={begin}
          />
          {conversation.isLoading ? (
            <div className={classes.welcome}>
              <Loading />
            </div>
          ) : conversation.error ? (
            <div className={classes.welcome}>
              <ErrorNote error={conversation.error} onRetry={conversation.retry} />
            </div>
          ) : isEmpty ? (
            <Welcome assistant={assistant} onAsk={(question) => ask(question)} />
          ) : (
            <Thread
              key={pageKey}
              rounds={conversation.rounds}
              isBusy={current !== undefined}
              hasOlder={conversation.hasOlder}
              isReadingOlder={conversation.isReadingOlder}
              onOlder={conversation.older}
              onAsk={ask}
              onPlace={setPlace}
              onChange={conversation.change}
            />
          )}
          <div className={classes.bottom}>
            <ErrorNote error={error} />
            <Composer
              field={field}
              place={pageKey}
              text={draft.text}
              onText={draft.write}
              isBusy={current !== undefined}
              attaching={attaching}
              assistantKey={assistantKey}
              assistantName={assistant?.name ?? ""}
              onSend={onSend}
              onStop={stop}
            />
          </div>
        </section>
      </div>
      <Drawer
        opened={isHistoryOpen}
        onClose={history.close}
        title={t("chat.history")}
        size="min(340px, 100vw)"
        closeButtonProps={{ "aria-label": t("common.close") }}
        classNames={{ body: classes.drawer! }}
      >
        {list}
      </Drawer>
      <SourcePanel place={place} onClose={() => setPlace(null)} />
    </Page>
  );
}
