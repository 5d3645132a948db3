import { Button, FileButton, Text, TextInput } from "@mantine/core";
import { IconMicrophone, IconPlayerStop } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { ErrorNote } from "../../components/ErrorNote";
import { Panel } from "../../components/Panel";
import { useMessages } from "../../i18n";
import { exchange } from "./exchange";
import { Trial } from "./Trial";

/** Speech: record or choose something and have it written; type something and hear it. */
export function Speech() {
  const t = useMessages();
  const [sound, setSound] = useState<File | null>(null);
  const [text, setText] = useState(t("test.sample"));
  const transcribe = () => {
    const form = new FormData();
    form.append("file", sound!);
    return exchange("POST", "/api/voice/transcribe", form);
  };
  return (
    <Panel title={t("test.speech")} isList>
      <Trial label={t("test.voices")} send={() => exchange("GET", "/api/voice/voices")} />
      <Trial label={t("test.transcribe")} send={sound && transcribe}>
        <Recorder onSound={setSound} />
        <FileButton onChange={setSound} accept="audio/*">
          {(props) => (
            <Button {...props} variant="subtle">
              {t("test.chooseSound")}
            </Button>
          )}
        </FileButton>
        <Text fz="sm" c="dimmed" role="status">
          {sound?.name ?? t("test.noSound")}
        </Text>
      </Trial>
      <Trial label={t("test.synthesize")} send={text ? () => exchange("POST", "/api/voice/synthesize", { text, format: "wav" }, "audio/wav") : null}>
        <TextInput label={t("test.toSay")} value={text} onChange={(event) => setText(event.currentTarget.value)} flex="1 1 16rem" />
      </Trial>
    </Panel>
  );
}

function Recorder({ onSound }: { onSound: (sound: File) => void }) {
  const t = useMessages();
  const recorder = useRef<MediaRecorder | null>(null);
  const [isOn, setOn] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const begin = async () => {
    setError(null);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const made = new MediaRecorder(stream);
      made.ondataavailable = ({ data }) => onSound(new File([data], t("test.recording"), { type: data.type }));
      made.onstop = () => stream.getTracks().forEach((track) => track.stop());
      made.start();
      recorder.current = made;
      setOn(true);
    } catch (thrown) {
      setError(thrown);
    }
  };
  const end = () => {
    recorder.current?.stop();
    setOn(false);
  };
  return (
    <>
      <Button variant="default" leftSection={isOn ? <IconPlayerStop size={16} /> : <IconMicrophone size={16} />} onClick={isOn ? end : begin}>
        {t(isOn ? "test.stop" : "test.record")}
      </Button>
      <ErrorNote error={error} title={t("test.noMicrophone")} />
    </>
  );
}
