import { ActionIcon, Group, Input, NumberInput, Select, Slider, Stack, Switch, Text, Textarea } from "@mantine/core";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import { api, ok, send } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { useTold } from "../../components/useTold";
import { useLanguage, useMessages } from "../../i18n";
import type { Draft, Put } from "./draft";
import { LanguageSelect } from "./LanguageSelect";

const FILLER_AFTER_MS = 1_200;
const FILLER_LANGUAGES = ["en", "de"];

/** How it speaks and listens: voice, speed, language, and what it says where its answer is late. */
export function Voice({ draft, put }: { draft: Draft; put: Put }) {
  const t = useMessages();
  const { language } = useLanguage();
  const times = (speed: number) => `${speed.toLocaleString(language, { maximumFractionDigits: 2 })} ×`;
  const id = useId();
  const voices = useQuery({ queryKey: ["voices"], staleTime: 300_000, retry: 1, queryFn: () => ok(api.GET("/api/voice/voices")) });
  const known = voices.data?.voices ?? [];
  const isMissing = draft.voice_id !== null && !known.some(({ voice_id }) => voice_id === draft.voice_id);
  const data = [
    ...(isMissing ? [{ value: draft.voice_id!, label: draft.voice_id! }] : []),
    ...known.map(({ voice_id, name, language, provider }) => ({ value: voice_id, label: `${name} · ${language} · ${provider}` })),
  ];
  return (
    <Stack gap="md">
      <ErrorNote error={voices.error} onRetry={() => void voices.refetch()} />
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <Select
          flex={1}
          label={t("assistants.voice")}
          placeholder={t("assistants.defaultVoice")}
          data={[...new Map(data.map((each) => [each.value, each])).values()]}
          value={draft.voice_id}
          onChange={(value) => put("voice_id", value)}
          searchable
          clearable
        />
        <Sample draft={draft} />
      </Group>
      <Input.Wrapper label={t("assistants.speed")} labelElement="div" labelProps={{ id }}>
        <Slider
          mt={6}
          min={0.5}
          max={2}
          step={0.05}
          label={times}
          thumbProps={{ "aria-labelledby": id }}
          value={draft.voice_speed ?? 1}
          onChange={(value) => put("voice_speed", value)}
        />
        <Group justify="space-between" mt={4} fz="xs" c="dimmed">
          <span>{times(0.5)}</span>
          <span>{times(draft.voice_speed ?? 1)}</span>
          <span>{times(2)}</span>
        </Group>
      </Input.Wrapper>
      <LanguageSelect label={t("assistants.listensFor")} placeholder={t("assistants.anyLanguage")} value={draft.language} onChange={(value) => put("language", value)} />
      <Fillers draft={draft} put={put} />
    </Stack>
  );
}

function Fillers({ draft, put }: { draft: Draft; put: Put }) {
  const t = useMessages();
  const isOn = draft.filler_after_ms !== null;
  const languages = [...new Set([...FILLER_LANGUAGES, ...Object.keys(draft.fillers)])];
  const set = (language: string, text: string) => {
    const { [language]: _, ...others } = draft.fillers;
    const lines = text.split("\n");
    put("fillers", text ? { ...others, [language]: lines } : others);
  };
  return (
    <Stack gap="sm">
      <Switch
        label={t("assistants.fillers")}
        description={t("assistants.fillersHint")}
        checked={isOn}
        onChange={(event) => put("filler_after_ms", event.currentTarget.checked ? FILLER_AFTER_MS : null)}
      />
      {isOn && (
        <>
          <NumberInput
            label={t("assistants.fillerAfter")}
            min={300}
            max={10_000}
            step={100}
            suffix=" ms"
            value={draft.filler_after_ms ?? FILLER_AFTER_MS}
            onChange={(value) => put("filler_after_ms", Number(value) || FILLER_AFTER_MS)}
          />
          {languages.map((language) => (
            <Textarea
              key={language}
              label={t("assistants.fillersIn", { language })}
              placeholder={t("assistants.fillersPlaceholder")}
              autosize
              minRows={2}
              maxRows={8}
              value={draft.fillers[language]?.join("\n") ?? ""}
              onChange={(event) => set(language, event.currentTarget.value)}
              onBlur={(event) => set(language, event.currentTarget.value.split("\n").map((line) => line.trim()).filter(Boolean).join("\n"))}
            />
          ))}
        </>
      )}
      {isOn && (
        <Text fz="xs" c="dimmed">
          {t("assistants.fillersOurs")}
        </Text>
      )}
    </Stack>
  );
}

/** Plays how the greeting sounds with what is set now, saved or not. */
function Sample({ draft }: { draft: Draft }) {
  const t = useMessages();
  const told = useTold();
  const [state, setState] = useState<"still" | "asked" | "playing">("still");
  const playing = useRef<{ audio: HTMLAudioElement; url: string } | null>(null);
  const stop = () => {
    if (playing.current) {
      playing.current.audio.pause();
      URL.revokeObjectURL(playing.current.url);
    }
    playing.current = null;
    setState("still");
  };
  useEffect(() => () => void playing.current?.audio.pause(), []);
  const play = async () => {
    setState("asked");
    try {
      const body = JSON.stringify({
        text: (draft.greeting || t("assistants.sampleText")).slice(0, 300),
        voice_id: draft.voice_id,
        speed: draft.voice_speed ?? 1,
        language: draft.persona.language ?? draft.language,
        format: "wav",
      });
      const headers = { "Content-Type": "application/json", Accept: "audio/wav" };
      const sound = await (await send(new Request("/api/voice/synthesize", { method: "POST", headers, body }))).blob();
      const url = URL.createObjectURL(sound);
      const audio = new Audio(url);
      playing.current = { audio, url };
      audio.onended = stop;
      await audio.play();
      setState("playing");
    } catch (thrown) {
      stop();
      told(thrown);
    }
  };
  return (
    <ActionIcon
      size={36}
      variant="default"
      loading={state === "asked"}
      aria-label={t(state === "playing" ? "assistants.stopSample" : "assistants.playSample")}
      onClick={() => (state === "playing" ? stop() : void play())}
    >
      {state === "playing" ? <IconPlayerStop size={18} aria-hidden /> : <IconPlayerPlay size={18} aria-hidden />}
    </ActionIcon>
  );
}
