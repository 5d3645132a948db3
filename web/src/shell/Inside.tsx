import { AppShell, Burger, Container, Group } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { Suspense, useEffect } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { useMe, useOnePersonsData } from "../api/me";
import { ErrorNote } from "../components/ErrorNote";
import { Loading } from "../components/Loading";
import { useMessages } from "../i18n";
import { Brand } from "./Brand";
import { Navbar } from "./Navbar";
import { useBranding } from "./useBranding";
import classes from "./shell.module.css";

/** What is around a page of somebody who is signed in: the navigation beside it, a burger on a phone. */
export function Inside() {
  const t = useMessages();
  const { me, isKnown, error, retry } = useMe();
  const { pathname, search, hash } = useLocation();
  const [isOpen, { toggle, close }] = useDisclosure();
  useOnePersonsData();
  const tenant = useBranding(me !== null);
  useEffect(close, [pathname, close]);
  useHotkeys([["Escape", close]]);

  if (error && !me)
    return (
      <Container component="main" size="xs" py="xl">
        <ErrorNote error={error} onRetry={retry} />
      </Container>
    );
  if (!isKnown) return <Loading />;
  if (!me) return <Navigate to="/login" replace state={{ to: pathname + search + hash }} />;
  return (
    <AppShell
      header={{ height: { base: 56, sm: 0 } }}
      navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      transitionDuration={120}
    >
      <a className="aura-skip" href="#content">
        {t("common.skip")}
      </a>
      <AppShell.Header hiddenFrom="sm" className={classes.header}>
        <Group h="100%" px="md" gap="sm">
          <Burger opened={isOpen} onClick={toggle} size="sm" aria-label={t("common.menu")} aria-expanded={isOpen} />
          <Brand to="/app" of={tenant} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} data-closed={!isOpen || undefined} aria-label={t("common.menu")}>
        <Navbar me={me} tenant={tenant} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}
