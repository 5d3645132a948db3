import { Button, Group, Modal, Text } from "@mantine/core";
import { useMessages } from "../../i18n";

/** Asks whether changes that were not saved are to be left behind. */
export function Leave({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  const t = useMessages();
  return (
    <Modal opened onClose={onStay} title={t("assistants.leave")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <Text fz="sm">{t("assistants.leaveText")}</Text>
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={onStay} data-autofocus>
          {t("assistants.stay")}
        </Button>
        <Button color="red" onClick={onLeave}>
          {t("assistants.leaveConfirm")}
        </Button>
      </Group>
    </Modal>
  );
}
