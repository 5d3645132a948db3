import { Alert, Stack, Text } from "@mantine/core";
import { IconMicrophoneOff } from "@tabler/icons-react";
import type { MessageKey } from "../../i18n/catalogue";
import { useMessages, useSentence } from "../../i18n";
import type { Fault, FaultCode } from "../../voice/faults";

const WORDS: Record<FaultCode, [MessageKey, MessageKey]> = {
  refused: ["voice.faultRefused", "voice.faultRefusedHint"],
  missing: ["voice.faultMissing", "voice.faultMissingHint"],
  busy: ["voice.faultBusy", "voice.faultBusyHint"],
  insecure: ["voice.faultInsecure", "voice.faultInsecureHint"],
  unsupported: ["voice.faultUnsupported", "voice.faultUnsupportedHint"],
  lost: ["voice.faultLost", "voice.faultLostHint"],
  server: ["voice.faultServer", "voice.faultServerHint"],
};

/** Why there is no conversation, and what to do about it. */
export function FaultNote({ fault }: { fault: Fault | null }) {
  const t = useMessages();
  const sentence = useSentence();
  if (!fault) return null;
  const [title, hint] = WORDS[fault.code];
  return (
    <Alert role="alert" variant="light" color="red" icon={<IconMicrophoneOff aria-hidden />} title={t(title)} maw={520} mx="auto">
      <Stack gap={4}>
        {fault.detail && fault.code !== "unsupported" && <Text fz="sm">{sentence({ code: fault.serverCode, detail: fault.detail })}</Text>}
        <Text fz="sm">{t(hint)}</Text>
      </Stack>
    </Alert>
  );
}
