import { NavLink } from "react-router";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import classes from "./knowledge.module.css";

const PAGES = [
  ["", "knowledge.documents", "documents:read"],
  ["/work", "knowledge.work", "documents:read"],
  ["/search", "knowledge.search", "documents:read"],
  ["/training", "knowledge.training", "documents:read"],
  ["/unanswered", "knowledge.unanswered", "analytics:read"],
] as const;

/** The ways between the pages of what is known. */
export function Tabs() {
  const t = useMessages();
  const { can } = useMe();
  return (
    <nav className={classes.tabs} aria-label={t("knowledge.title")}>
      {PAGES.filter(([, , needs]) => can(needs)).map(([path, label]) => (
        <NavLink key={path} to={`/app/knowledge${path}`} end={path === ""} className={classes.tab!}>
          {t(label)}
        </NavLink>
      ))}
    </nav>
  );
}
