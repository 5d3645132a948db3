import { ActionIcon, Button, Group, Popover, Select, Stack, Switch, Tooltip } from "@mantine/core";
import { IconAdjustmentsHorizontal, IconMicrophone, IconMicrophoneOff, IconPhoneOff, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { type Schemas } from "../../api/client";
import { useMessages } from "../../i18n";
import type { CallView, VoiceCall } from "../../voice/call";
import { type Devices, followDevices } from "../../voice/microphone";
import { canChooseOutput } from "../../voice/speaker";
import { chooseDevice, chosenDevices } from "./useCall";

interface Props {
  call: VoiceCall;
  view: CallView;
  assistants: readonly Schemas["AgentCard"][];
  assistantKey: string;
  onAssistant: (key: string) => void;
}

/** What stands below the button: microphone off, stop, end, and what is chosen rarely. */
export function Controls({ call, view, assistants, assistantKey, onAssistant }: Props) {
  const t = useMessages();
  const isOn = view.phase !== "idle";
  return (
    <Group gap="xs" justify="center">
      {isOn && (
        <>
          <Round label={t(view.isMuted ? "voice.unmute" : "voice.mute")} isPressed={view.isMuted} onClick={() => call.mute(!view.isMuted)}>
            {view.isMuted ? <IconMicrophoneOff size={20} aria-hidden /> : <IconMicrophone size={20} aria-hidden />}
          </Round>
          <Round label={t("voice.stop")} isOff={view.phase !== "speaking" && view.phase !== "thinking"} onClick={() => call.interrupt()}>
            <IconPlayerStop size={20} aria-hidden />
          </Round>
          <Round label={t("voice.end")} isEnd onClick={() => call.end()}>
            <IconPhoneOff size={20} aria-hidden />
          </Round>
        </>
      )}
      <Popover position="bottom" shadow="md" radius="md" width={300} trapFocus returnFocus>
        <Popover.Target>
          <Button variant="default" radius="xl" h={44} leftSection={<IconAdjustmentsHorizontal size={18} aria-hidden />}>
            {t("voice.options")}
          </Button>
        </Popover.Target>
        <Popover.Dropdown aria-label={t("voice.options")}>
          <Stack gap="sm">
            <Select
              label={t("voice.assistant")}
              data={assistants.map(({ assistant_key, name }) => ({ value: assistant_key, label: name }))}
              value={assistantKey}
              allowDeselect={false}
              comboboxProps={{ withinPortal: false }}
              onChange={(key) => key && onAssistant(key)}
            />
            <DeviceChoice call={call} view={view} />
            <Switch
              label={t("voice.pushToTalk")}
              description={t("voice.pushToTalkHint")}
              checked={view.isPushToTalk}
              onChange={(event) => call.pushToTalk(event.currentTarget.checked)}
            />
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </Group>
  );
}

function DeviceChoice({ call, view }: { call: VoiceCall; view: CallView }) {
  const t = useMessages();
  const [devices, setDevices] = useState<Devices>({ inputs: [], outputs: [] });
  const [outputId, setOutputId] = useState(chosenDevices().output);
  // Names are there only once the browser has let us hear.
  useEffect(() => followDevices(setDevices), [view.inputId]);
  const options = (found: MediaDeviceInfo[]) => [
    { value: "", label: t("voice.byItself") },
    ...found.map(({ deviceId, label }, index) => ({ value: deviceId, label: label || t("voice.device", { number: index + 1 }) })),
  ];
  const inputId = devices.inputs.some(({ deviceId }) => deviceId === view.inputId) ? view.inputId : "";
  return (
    <>
      <Select
        label={t("voice.microphone")}
        data={options(devices.inputs)}
        value={inputId}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
        onChange={(id) => {
          chooseDevice("input", id ?? "");
          void call.useInput(id ?? "");
        }}
      />
      {canChooseOutput() && (
        <Select
          label={t("voice.speaker")}
          data={options(devices.outputs)}
          value={devices.outputs.some(({ deviceId }) => deviceId === outputId) ? outputId : ""}
          allowDeselect={false}
          comboboxProps={{ withinPortal: false }}
          onChange={(id) => {
            chooseDevice("output", id ?? "");
            setOutputId(id ?? "");
            void call.useOutput(id ?? "");
          }}
        />
      )}
    </>
  );
}

interface RoundProps {
  label: string;
  isPressed?: boolean;
  isOff?: boolean;
  isEnd?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}

function Round({ label, isPressed, isOff, isEnd, onClick, children }: RoundProps) {
  const looks = isEnd ? { variant: "light", color: "red" } : { variant: isPressed ? "filled" : "default" };
  return (
    <Tooltip label={label}>
      <ActionIcon {...looks} radius="xl" size={44} aria-label={label} aria-pressed={isPressed} disabled={isOff} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
