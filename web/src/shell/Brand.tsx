import { Group, Text } from "@mantine/core";
import { Link } from "react-router";
import classes from "./shell.module.css";

/** The mark and the name; leads to the first page. */
export function Brand({ to }: { to: string }) {
  return (
    <Link to={to} className={classes.brand}>
      <Group gap={10} wrap="nowrap">
        <img src="/static/icon.svg" width={28} height={28} alt="" />
        <Text span fw={650} fz="lg" lh={1} className={classes.name}>
          AURA
        </Text>
      </Group>
    </Link>
  );
}
