import { Center, Loader } from "@mantine/core";
import { useMessages } from "../i18n";

/** Stands where a page will be; what is there at once does not flash it. */
export function Loading() {
  const t = useMessages();
  return (
    <Center mih="40dvh" role="status" aria-label={t("common.loading")}>
      <Loader type="dots" size="sm" />
    </Center>
  );
}
