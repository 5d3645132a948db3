import { Group, Stack, Text, Title } from "@mantine/core";
import type { TablerIcon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./components.module.css";

/** Stands where nothing is yet: what would be here, and the buttons that bring it. */
export function Empty({ icon: Icon, title, text, children }: { icon?: TablerIcon; title: string; text?: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" ta="center">
      {Icon && (
        <span className={classes.emptyIcon}>
          <Icon size={26} stroke={1.5} aria-hidden />
        </span>
      )}
      <Title order={2} fz="md">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" fz="sm" maw={420}>
          {text}
        </Text>
      )}
      {children && <Group mt="xs">{children}</Group>}
    </Stack>
  );
}
