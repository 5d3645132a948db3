import { Box, Menu, Stack, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconFlask, IconLogin2, IconLogout2, IconSelector } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, NavLink, useNavigate } from "react-router";
import { api, type Schemas } from "../api/client";
import { forget } from "../api/session";
import { AREAS } from "../areas";
import { useMessages } from "../i18n";
import { Brand } from "./Brand";
import { PreferenceItems } from "./Preferences";
import classes from "./shell.module.css";

/** The ways through the application, those that are open to `me`, and the menu of who it is. */
export function Navbar({ me, tenant }: { me: Schemas["Me"]; tenant: Schemas["TenantView"] | undefined }) {
  const t = useMessages();
  const open = AREAS.filter(({ icon, needs }) => icon && (!needs || me.permissions.includes(needs)));
  return (
    <>
      <Box visibleFrom="sm" className={classes.navbarBrand}>
        <Brand to="/app" of={tenant} />
      </Box>
      <Stack gap={2} px="sm" py="xs" flex={1} className={classes.links}>
        {open.map(({ path, label, icon: Icon }) => (
          <NavLink key={path} to={path} end={path === "/app"} className={classes.link}>
            {Icon && <Icon size={20} stroke={1.6} aria-hidden />}
            {t(label)}
          </NavLink>
        ))}
      </Stack>
      <Box p="sm">
        <AccountMenu me={me} />
      </Box>
    </>
  );
}

function AccountMenu({ me }: { me: Schemas["Me"] }) {
  const t = useMessages();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const name = me.user?.name || me.user?.email || t("common.localUser");

  const signOut = async () => {
    await api.POST("/api/logout", { body: { everywhere: false } }).catch(() => undefined);
    forget();
    queries.clear();
    void navigate("/");
  };
  return (
    <Menu position="top-start" width={208}>
      <Menu.Target>
        <UnstyledButton className={classes.account}>
          <VisuallyHidden>{t("common.account")}: </VisuallyHidden>
          <span className={classes.initial} aria-hidden>
            {name.slice(0, 1).toUpperCase()}
          </span>
          <Box miw={0} flex={1}>
            <Text fz="sm" fw={550} lh={1.3} truncate>
              {name}
            </Text>
            <Text fz="xs" c="dimmed" lh={1.3} truncate>
              {me.organization}
            </Text>
          </Box>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <PreferenceItems />
        <Menu.Divider />
        <Menu.Item component={Link} to="/test" leftSection={<IconFlask size={16} />}>
          {t("nav.test")}
        </Menu.Item>
        {me.kind === "user" ? (
          <Menu.Item leftSection={<IconLogout2 size={16} />} onClick={signOut}>
            {t("common.signOut")}
          </Menu.Item>
        ) : (
          <Menu.Item component={Link} to="/login" leftSection={<IconLogin2 size={16} />}>
            {t("common.signIn")}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
