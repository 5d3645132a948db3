import { Button, Group, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo } from "react";
import { ErrorNote } from "../../components/ErrorNote";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import type { Exchange } from "./exchange";
import classes from "./test.module.css";

interface Props {
  label: string;
  /** Sends the request; without it nothing can be sent yet. */
  send: (() => Promise<Exchange>) | null;
  /** Fields that go with it. */
  children?: ReactNode;
}

/** A button, and below it the request that went and the reply that came. */
export function Trial({ label, send, children }: Props) {
  const t = useMessages();
  const act = useMutation({ mutationFn: () => send!() });
  const found = act.data;
  return (
    <section className={classes.trial} aria-label={label}>
      <Group gap="sm" align="flex-end">
        {children}
        <Button variant="default" disabled={!send} loading={act.isPending} onClick={() => act.mutate()}>
          {label}
        </Button>
        <Text component="div" role="status" fz="sm">
          {found && (
            <>
              <StateBadge state={found.status < 400 ? "completed" : "failed"} label={`HTTP ${found.status}`} /> · {found.ms} ms
            </>
          )}
        </Text>
      </Group>
      <ErrorNote error={act.error} />
      {found?.sound && <Player sound={found.sound} label={label} />}
      {found && (
        <div className={classes.both}>
          <Raw title={t("test.request")} text={found.request} />
          <Raw title={t("test.reply")} text={found.reply} />
        </div>
      )}
    </section>
  );
}

function Player({ sound, label }: { sound: Blob; label: string }) {
  const source = useMemo(() => URL.createObjectURL(sound), [sound]);
  useEffect(() => () => URL.revokeObjectURL(source), [source]);
  return <audio controls src={source} aria-label={label} />;
}

function Raw({ title, text }: { title: string; text: string }) {
  return (
    <figure className={classes.raw}>
      <Text component="figcaption" fz="xs" c="dimmed">
        {title}
      </Text>
      <pre role="group" tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </figure>
  );
}
