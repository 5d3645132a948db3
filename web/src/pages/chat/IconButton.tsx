import { ActionIcon, type ActionIconProps, Tooltip } from "@mantine/core";
import type { TablerIcon } from "@tabler/icons-react";
import type { ComponentProps } from "react";

interface Props extends ActionIconProps, Omit<ComponentProps<"button">, keyof ActionIconProps | "children"> {
  label: string;
  icon: TablerIcon;
}

/** A small button that shows a picture, and says what it does. */
export function IconButton({ label, icon: Icon, ...button }: Props) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="md" c="var(--mantine-color-dimmed)" aria-label={label} {...button}>
        <Icon size={17} stroke={1.7} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
