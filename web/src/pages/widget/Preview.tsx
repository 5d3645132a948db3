import { SegmentedControl } from "@mantine/core";
import { IconWorldOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "../../components/Empty";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { readWidget } from "../assistants/widget";
import { attributesOf, type Looks, previewOf } from "./line";
import classes from "./widget.module.css";

/** The widget at work on a site of no consequence, as wide as a phone or a computer. */
export function Preview({ assistantKey, looks }: { assistantKey: string; looks: Looks }) {
  const t = useMessages();
  const [size, setSize] = useState("computer");
  const { data: widget } = useQuery({ queryKey: ["agents", "widget", assistantKey], queryFn: () => readWidget(assistantKey) });
  const sizes = [
    { value: "phone", label: t("widget.phone") },
    { value: "computer", label: t("widget.computer") },
  ];
  return (
    <div className={classes.beside}>
      <Panel
        title={t("widget.preview")}
        text={t("widget.previewText")}
        actions={<SegmentedControl size="xs" aria-label={t("widget.width")} data={sizes} value={size} onChange={setSize} />}
      >
        {widget?.is_on && widget.widget_id ? (
          <iframe className={classes.site} data-size={size} title={t("widget.preview")} src={previewOf(widget.widget_id, attributesOf(looks))} />
        ) : (
          <Empty icon={IconWorldOff} title={t("widget.isOff")} text={t("widget.isOffHint")} />
        )}
      </Panel>
    </div>
  );
}
