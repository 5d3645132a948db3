import { ActionIcon, Anchor, Button, PasswordInput, Progress, Text } from "@mantine/core";
import { IconRefresh, IconX } from "@tabler/icons-react";
import { type SubmitEvent, useState } from "react";
import { Link } from "react-router";
import { FileSize } from "../../../components/FileSize";
import { StateBadge } from "../../../components/StateBadge";
import { useTold } from "../../../components/useTold";
import { useMessages } from "../../../i18n";
import type { MessageKey } from "../../../i18n/catalogue";
import classes from "../knowledge.module.css";
import { useReason } from "../progress";
import type { Drop } from "./drop";
import { type FileState, GONE, isBad, isEnded, isLocked, type Sent } from "./sent";

/** A file of a drop: where it stands, why, and what can be done with it alone. */
export function FileRow({ drop, file }: { drop: Drop; file: Sent }) {
  const t = useMessages();
  const reason = useReason();
  const name = file.folder ? `${file.folder}/${file.file.name}` : file.file.name;
  return (
    <div className={classes.sent}>
      {file.documentId && file.state !== "deleted" ? (
        <Anchor component={Link} to={`/app/knowledge/documents/${file.documentId}`} fz="sm" truncate title={name}>
          {name}
        </Anchor>
      ) : (
        <Text fz="sm" truncate title={name}>
          {name}
        </Text>
      )}
      {file.state === "sending" ? (
        <Progress value={(100 * file.sentBytes) / Math.max(1, file.file.size)} size="sm" aria-label={t("knowledge.sendingFile", { name: file.file.name })} />
      ) : (
        <StateOf state={file.state} />
      )}
      <Text fz="xs" c="dimmed" ta="right" className={classes.size}>
        <FileSize bytes={file.file.size} />
      </Text>
      <Acts drop={drop} file={file} />
      {isBad(file) && (
        <Text fz="xs" c="var(--mantine-color-error)" className={classes.reason}>
          {file.code === GONE ? t("knowledge.gone") : reason(file.code, file.reason)}
        </Text>
      )}
      {(file.sameAs || (file.isKnown && file.state === "processed")) && (
        <Text fz="xs" c="dimmed" className={classes.reason}>
          {file.sameAs ? t("knowledge.sameAs", { name: file.sameAs }) : t("knowledge.wasThere")}
        </Text>
      )}
      {isLocked(file) && <Password drop={drop} file={file} />}
    </div>
  );
}

function Acts({ drop, file }: { drop: Drop; file: Sent }) {
  const t = useMessages();
  const told = useTold();
  const [isBusy, setBusy] = useState(false);
  const isLeft = file.state === "waiting" || (file.documentId !== null && !isEnded(file));
  const isAgain = file.documentId !== null && (file.state === "failed" || file.state === "cancelled") && !isLocked(file);
  if (!isLeft && !isAgain) return <span />;
  const act = () => {
    setBusy(true);
    void (isLeft ? drop.cancelOne(file) : drop.retryOne(file)).catch(told).finally(() => setBusy(false));
  };
  const label = t(isLeft ? "knowledge.cancelOne" : "knowledge.retryOne", { name: file.file.name });
  return (
    <ActionIcon size="sm" variant="subtle" color="gray" loading={isBusy} aria-label={label} title={label} onClick={act}>
      {isLeft ? <IconX size={16} aria-hidden /> : <IconRefresh size={16} aria-hidden />}
    </ActionIcon>
  );
}

function Password({ drop, file }: { drop: Drop; file: Sent }) {
  const t = useMessages();
  const told = useTold();
  const [password, setPassword] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    void drop.open(file, password).catch(told).finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submitted} className={classes.password}>
      <PasswordInput
        size="xs"
        aria-label={t("knowledge.passwordOf", { name: file.file.name })}
        placeholder={t("knowledge.password")}
        autoComplete="off"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" variant="default" loading={isBusy} disabled={!password}>
        {t("knowledge.openIt")}
      </Button>
    </form>
  );
}

const WORDS: Partial<Record<FileState, MessageKey>> = {
  waiting: "knowledge.waiting",
  sent: "knowledge.sent",
  refused: "knowledge.refused",
  deleted: "knowledge.deletedState",
};

function StateOf({ state }: { state: FileState }) {
  const t = useMessages();
  const words = WORDS[state];
  return <StateBadge state={state === "refused" ? "failed" : state === "waiting" || state === "sent" ? "queued" : state} {...(words ? { label: t(words) } : {})} />;
}
