import { Group, Text } from "@mantine/core";
import { Link } from "react-router";
import classes from "./shell.module.css";

interface Props {
  to: string;
  /** Whose pages these are, where they have a look of their own. */
  of?: { organization_name: string; custom_logo: string | null } | undefined;
}

/** The mark and the name, AURA's or the organisation's; leads to the first page. */
export function Brand({ to, of }: Props) {
  // The policy lets no picture come from elsewhere: a logo with an address of another site shows in the widget alone.
  const logo = of?.custom_logo?.startsWith("data:image/") ? of.custom_logo : null;
  return (
    <Link to={to} className={classes.brand}>
      <Group gap={10} wrap="nowrap">
        <img src={logo ?? "/static/icon.svg"} width={logo ? undefined : 28} height={28} alt="" className={classes.mark} />
        <Text span fw={650} fz="lg" lh={1.15} lineClamp={2} className={classes.name}>
          {logo ? of!.organization_name : "AURA"}
        </Text>
      </Group>
    </Link>
  );
}
