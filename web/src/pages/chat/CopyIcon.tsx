import { CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useMessages } from "../../i18n";
import { IconButton } from "./IconButton";

/** Copies a text, and says that it did. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const t = useMessages();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => <IconButton label={copied ? t("common.copied") : label} icon={copied ? IconCheck : IconCopy} onClick={copy} />}
    </CopyButton>
  );
}
