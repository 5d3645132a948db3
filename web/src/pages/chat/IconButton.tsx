import { ActionIcon, type ActionIconProps } from "@mantine/core";
import type { TablerIcon } from "@tabler/icons-react";
import type { ComponentProps } from "react";

interface Props extends ActionIconProps, Omit<ComponentProps<"button">, keyof ActionIconProps | "children"> {
  label: string;
  icon: TablerIcon;
}

/**
 * A small button that shows a picture, and says what it does.
 *
 * A long conversation has thousands: the browser's own tooltip costs nothing to draw while one scrolls.
 */
export function IconButton({ label, icon: Icon, ...button }: Props) {
  return (
    <ActionIcon variant="subtle" color="gray" size="md" c="var(--mantine-color-dimmed)" aria-label={label} title={label} {...button}>
      <Icon size={17} stroke={1.7} aria-hidden />
    </ActionIcon>
  );
}
