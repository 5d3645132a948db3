import { Button, type ButtonProps, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { useMessages } from "../i18n";
import { ErrorNote } from "./ErrorNote";

interface Props extends ButtonProps {
  /** What is asked: "Delete handbook.pdf?" */
  title: string;
  /** What will happen, and whether it can be undone. */
  text: string;
  /** What the button that does it says; the label of this one unless given. */
  confirm?: string;
  onConfirm: () => Promise<unknown>;
  children: ReactNode;
}

/** A button for what cannot be undone: asks first, waits until it is done, and says why where it failed. */
export function ConfirmButton({ title, text, confirm, onConfirm, children, ...button }: Props) {
  const t = useMessages();
  const [isOpen, { open, close }] = useDisclosure();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const act = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button variant="default" {...button} onClick={open}>
        {children}
      </Button>
      <Modal opened={isOpen} onClose={close} title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
        <Stack>
          <Text fz="sm">{text}</Text>
          <ErrorNote error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close} data-autofocus>
              {t("common.cancel")}
            </Button>
            <Button color="red" loading={isBusy} onClick={act}>
              {confirm ?? children}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
