import { Group } from "@mantine/core";
import { Suspense } from "react";
import { Outlet } from "react-router";
import { Loading } from "../components/Loading";
import { useMessages } from "../i18n";
import { Brand } from "./Brand";
import { Preferences } from "./Preferences";
import classes from "./shell.module.css";

/** What is around a page that nobody needs to be signed in for. */
export function Outside() {
  const t = useMessages();
  return (
    <div className={classes.outside}>
      <a className="aura-skip" href="#content">
        {t("common.skip")}
      </a>
      <Group component="header" justify="space-between" className={classes.outsideHeader}>
        <Brand to="/welcome" />
        <Preferences />
      </Group>
      <main id="content" tabIndex={-1} className={classes.outsideMain}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}
