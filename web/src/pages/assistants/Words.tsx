import { Group, Input, Slider, Stack, Textarea, TextInput } from "@mantine/core";
import { useId } from "react";
import { useMessages } from "../../i18n";
import type { MessageKey } from "../../i18n/catalogue";
import type { Draft, Put } from "./draft";
import { LanguageSelect } from "./LanguageSelect";

const TRAITS = ["formality", "detail", "energy"] as const;
const NEUTRAL = 0.5;

/** What it is called, says first, is told to do, and how it sounds. */
export function Words({ draft, put }: { draft: Draft; put: Put }) {
  const t = useMessages();
  return (
    <Stack gap="md">
      <TextInput label={t("assistants.name")} required maxLength={255} value={draft.name} onChange={(event) => put("name", event.currentTarget.value)} />
      <Textarea
        label={t("assistants.greeting")}
        description={t("assistants.greetingHint")}
        autosize
        minRows={2}
        maxLength={1_000}
        value={draft.greeting}
        onChange={(event) => put("greeting", event.currentTarget.value)}
      />
      <Textarea
        label={t("assistants.instructions")}
        description={t("assistants.instructionsHint")}
        autosize
        minRows={8}
        maxRows={24}
        maxLength={20_000}
        value={draft.instructions}
        onChange={(event) => put("instructions", event.currentTarget.value)}
      />
      {TRAITS.map((trait) => (
        <Trait
          key={trait}
          trait={trait}
          value={draft.persona[trait]}
          onChange={(value) => put("persona", { ...draft.persona, [trait]: value })}
        />
      ))}
      <LanguageSelect
        label={t("assistants.answersIn")}
        placeholder={t("assistants.asAsked")}
        value={draft.persona.language}
        onChange={(language) => put("persona", { ...draft.persona, language })}
      />
    </Stack>
  );
}

function Trait({ trait, value, onChange }: { trait: (typeof TRAITS)[number]; value: number | null | undefined; onChange: (value: number) => void }) {
  const t = useMessages();
  const id = useId();
  const ends = { low: `assistants.${trait}Low`, high: `assistants.${trait}High` } satisfies Record<string, MessageKey>;
  return (
    <Input.Wrapper label={t(`assistants.${trait}`)} labelElement="div" labelProps={{ id }}>
      <Slider
        mt={6}
        min={0}
        max={1}
        step={0.05}
        label={(shown) => `${Math.round(shown * 100)} %`}
        thumbProps={{ "aria-labelledby": id }}
        value={value ?? NEUTRAL}
        onChange={onChange}
      />
      <Group justify="space-between" mt={4} fz="xs" c="dimmed">
        <span>{t(ends.low)}</span>
        <span>{t(ends.high)}</span>
      </Group>
    </Input.Wrapper>
  );
}
