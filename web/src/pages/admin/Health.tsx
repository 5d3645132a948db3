import { useQuery } from "@tanstack/react-query";
import { api, ok, type Schemas } from "../../api/client";
import { useMe } from "../../api/me";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Line, Panel } from "../../components/Panel";
import { StateBadge } from "../../components/StateBadge";
import { useMessages } from "../../i18n";
import classes from "./admin.module.css";
import { problemsOf } from "./health";

const EVERY_MS = 5_000;
const KINDS = ["chat", "embedding", "transcription", "speech"] as const;

/** Whether everything works now: each provider, and for the operator each store and pool of workers. */
export function Health() {
  const t = useMessages();
  const { can } = useMe();
  const ready = useQuery({
    queryKey: ["ready"],
    refetchInterval: EVERY_MS,
    // Not ready is an answer (503) and no fault of the request.
    queryFn: async () => (await (await fetch("/health/ready")).json()) as Schemas["Readiness"],
  });
  const providers = useQuery({ queryKey: ["providers"], refetchInterval: EVERY_MS, queryFn: () => ok(api.GET("/admin/health")) });
  const lacking = ready.data ? problemsOf(ready.data.parts) : [];
  return (
    <>
      <Panel title={t("admin.stack")} text={t("admin.live")} isList>
        <ErrorNote error={ready.error} onRetry={() => void ready.refetch()} />
        {!ready.data && !ready.error && <Loading />}
        {ready.data && (
          <Line
            title={<span role="status">{lacking.length === 0 ? t("admin.allWorks") : t("admin.someMissing", { count: lacking.length })}</span>}
            text={can("operate") ? lacking.join(", ") : ""}
            actions={<StateBadge state={lacking.length === 0 ? "active" : "failed"} label={t(lacking.length === 0 ? "admin.ready" : "admin.notReady")} />}
          />
        )}
        {ready.data && can("operate") && (
          <ul className={classes.parts}>
            {Object.entries(ready.data.parts).map(([part, works]) => (
              <li key={part} className={classes.part}>
                {nameOf(part)}
                <StateBadge state={works ? "active" : "failed"} label={t(works ? "admin.works" : "admin.missing")} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <ErrorNote error={providers.error} onRetry={() => void providers.refetch()} />
      {providers.data &&
        KINDS.map((kind) => (
          <Panel key={kind} title={t(`admin.kind_${kind}`)} isList>
            {providers.data.providers
              .filter((each) => each.kind === kind)
              .map((each) => (
                <Provider key={each.provider} provider={each} />
              ))}
          </Panel>
        ))}
    </>
  );
}

const nameOf = (part: string) => (part.startsWith("worker:") ? part.slice("worker:".length) : part);

function Provider({ provider }: { provider: Schemas["ProviderState"] }) {
  const t = useMessages();
  const { offered, state, first_token_ms: first } = provider;
  const told = !offered ? t("admin.notSetUp") : state === "closed" ? t("admin.works") : t(state === "open" ? "admin.fails" : "admin.isTried");
  const missing = /^(\w+) is not set\.$/.exec(provider.why_not ?? "")?.[1];
  const about = [
    provider.model,
    provider.local && t("admin.here"),
    provider.own_key && t("admin.ownKey"),
    first != null && t("admin.firstToken", { ms: Math.round(first) }),
    !offered && (missing ? t("admin.isNotSet", { name: missing }) : provider.why_not),
  ];
  return (
    <Line
      title={`${provider.provider}${provider.chosen ? ` · ${t("admin.chosen")}` : ""}`}
      text={about.filter(Boolean).join(" · ")}
      actions={<StateBadge state={!offered ? "inactive" : state === "closed" ? "active" : "failed"} label={told} />}
    />
  );
}
