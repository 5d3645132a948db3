import { Button, Group, Slider, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAct } from "../../api/acts";
import { api, ok } from "../../api/client";
import { ErrorNote } from "../../components/ErrorNote";
import { Loading } from "../../components/Loading";
import { Panel } from "../../components/Panel";
import classes from "../../components/ways.module.css";
import { useLanguage, useMessages } from "../../i18n";
import { example, type Tone, toneOf, TRAITS } from "./persona";

export const PREFERENCES = ["preferences"];

/** Returns what a user wants of answers. */
export function usePreferences() {
  return useQuery({ queryKey: PREFERENCES, queryFn: () => ok(api.GET("/api/memory/preferences")) });
}

/** How answers sound: three sliders, and an example that changes with them. */
export function Persona() {
  const preferences = usePreferences();
  if (preferences.error) return <ErrorNote error={preferences.error} onRetry={() => void preferences.refetch()} />;
  if (!preferences.data) return <Loading />;
  return <Sliders kept={toneOf(preferences.data.preferences)} />;
}

function Sliders({ kept }: { kept: Tone }) {
  const t = useMessages();
  const { language } = useLanguage();
  const [changed, setChanged] = useState<Partial<Tone>>({});
  const tone = { ...kept, ...changed };
  const isChanged = TRAITS.some((trait) => tone[trait] !== kept[trait]);
  const save = useAct(
    () => ok(api.PUT("/api/memory/preferences", { body: { preferences: { ...tone } } })),
    PREFERENCES,
  );
  return (
    <Panel title={t("settings.personaTitle")} text={t("settings.personaText")}>
      <Stack gap="xl">
        {TRAITS.map((trait) => (
          <div key={trait}>
            <Group justify="space-between" mb={4}>
              <Text fz="sm" fw={550}>
                {t(`settings.${trait}`)}
              </Text>
            </Group>
            <Slider
              min={0}
              max={1}
              step={0.05}
              label={(value) => value.toLocaleString(language, { style: "percent" })}
              thumbLabel={t(`settings.${trait}`)}
              value={tone[trait]}
              onChange={(value) => setChanged({ ...changed, [trait]: value })}
            />
            <Group justify="space-between" mt={6}>
              <Text fz="xs" c="dimmed">
                {t(`settings.${trait}Low`)}
              </Text>
              <Text fz="xs" c="dimmed">
                {t(`settings.${trait}High`)}
              </Text>
            </Group>
          </div>
        ))}
        <figure className={classes.saying} aria-live="polite">
          <Text component="figcaption" fz="xs" c="dimmed" mb={4}>
            {t("settings.example")}
          </Text>
          <Text data-testid="example">
            {example(tone)
              .map((key) => t(key))
              .join(" ")}
          </Text>
        </figure>
        <ErrorNote error={save.error} />
        <Group gap="sm">
          <Button disabled={!isChanged} loading={save.isPending} onClick={() => save.mutate(undefined, { onSuccess: () => setChanged({}) })}>
            {t("common.save")}
          </Button>
          <Text role="status" fz="sm" c="dimmed">
            {save.isSuccess && !isChanged ? t("settings.saved") : ""}
          </Text>
        </Group>
      </Stack>
    </Panel>
  );
}
