import { Group, Stack, Text, Title, VisuallyHidden } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import classes from "./components.module.css";

interface Props {
  title: string;
  /** One sentence below the title. */
  text?: string;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** `reading`: lines that are easy to read; `wide`: tables and charts; `full`: all there is, without padding. */
  width?: "reading" | "wide" | "full";
  isTitleHidden?: boolean;
  children: ReactNode;
}

/** A page: its title in the tab and at its top, where the focus goes when somebody comes from another page. */
export function Page({ title, text, actions, width = "wide", isTitleHidden, children }: Props) {
  // The first page leaves the focus to the browser; React Router gives its place in the history this name.
  const isFirst = useLocation().key === "default";
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => void (document.title = `${title} · AURA`), [title]);
  useEffect(() => {
    if (isFirst) return;
    window.scrollTo(0, 0);
    // A field that takes the focus itself keeps it.
    const isTaken = document.activeElement?.matches("input, textarea, select");
    if (!isTaken) heading.current?.focus({ preventScroll: true });
    // Where a page is shown, not each time its address changes below it.
  }, []);
  const top = (
    <Title order={1} ref={heading} tabIndex={-1}>
      {title}
    </Title>
  );
  return (
    <div className={classes.page} data-width={width}>
      {isTitleHidden ? (
        <VisuallyHidden>{top}</VisuallyHidden>
      ) : (
        <Group justify="space-between" align="flex-start" gap="md" className={classes.top}>
          <Stack gap={6} flex="1 1 20rem" miw={0}>
            {top}
            {text && <Text c="dimmed">{text}</Text>}
          </Stack>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
      )}
      {children}
    </div>
  );
}
