import { Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./panel.module.css";

interface Props {
  title: string;
  /** One sentence below the title. */
  text?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** Whether what is inside are lines that reach from edge to edge. */
  isList?: boolean;
  children: ReactNode;
}

/** A part of a page, with a title of its own and a frame around what it holds. */
export function Panel({ title, text, actions, isList, children }: Props) {
  return (
    <Stack component="section" gap="xs" miw={0}>
      <Group justify="space-between" align="flex-end" gap="sm">
        <div className={classes.words}>
          <Title order={2}>{title}</Title>
          {text && (
            <Text c="dimmed" fz="sm">
              {text}
            </Text>
          )}
        </div>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      <div className={classes.panel} data-list={isList || undefined}>
        {children}
      </div>
    </Stack>
  );
}

/** A line of a panel: what it is, what is known of it, and what can be done with it. Wraps where it is narrow. */
export function Line({ title, text, actions, children }: { title: ReactNode; text?: ReactNode; actions?: ReactNode; children?: ReactNode }) {
  return (
    <div className={classes.line}>
      <div className={classes.words}>
        <Text component="div" fz="sm" fw={550} className={classes.break}>
          {title}
        </Text>
        {text && (
          <Text component="div" fz="xs" c="dimmed" className={classes.break}>
            {text}
          </Text>
        )}
        {children}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </div>
  );
}

/** Numbers that are read at a glance, side by side. */
export function Figures({ children }: { children: ReactNode }) {
  return <dl className={classes.figures}>{children}</dl>;
}

export function Figure({ label, number = "–", hint }: { label: string; number?: string | undefined; hint?: ReactNode }) {
  return (
    <div className={classes.figure}>
      <Text component="dt" fz="sm" c="dimmed">
        {label}
      </Text>
      <dd className={classes.number}>{number}</dd>
      {hint && (
        <Text component="dd" fz="xs" c="dimmed" m={0}>
          {hint}
        </Text>
      )}
    </div>
  );
}
