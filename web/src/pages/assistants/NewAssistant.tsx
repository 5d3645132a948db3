import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { body } from "../../api/body";
import { api, ok, type Schemas } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ErrorNote } from "../../components/ErrorNote";
import { useMessages } from "../../i18n";
import classes from "./assistants.module.css";
import { keyOf, type Template, TEMPLATES } from "./templates";

/** Makes an assistant from a template; its key follows its name until somebody writes one. */
export function NewAssistant({ onClose, taken }: { onClose: () => void; taken: readonly string[] }) {
  const t = useMessages();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [template, setTemplate] = useState<Template>(TEMPLATES[0]!);
  const [name, setName] = useState("");
  const [written, setWritten] = useState<string | null>(null);
  const key = written ?? free(keyOf(name), taken);
  const act = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/agents", {
          body: body<Schemas["AgentBody"]>({
            assistant_key: key,
            name: name.trim(),
            greeting: template.greeting ? t(template.greeting, { name: name.trim() }) : "",
            instructions: template.instructions ? t(template.instructions) : "",
            persona: body<Schemas["PersonaTraits"]>(template.persona),
          }),
        }),
      ),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["agents"] });
      void navigate(`/app/assistants/${made.assistant_key}`);
    },
  });
  const faults = act.error ? asProblem(act.error).fields : {};
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={t("assistants.new")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form onSubmit={submitted}>
        <Stack>
          <ErrorNote error={act.error} />
          <div className={classes.cards} role="group" aria-label={t("assistants.template")}>
            {TEMPLATES.map((each) => (
              <button key={each.id} type="button" className={classes.card} aria-pressed={each === template} onClick={() => setTemplate(each)} style={{ cursor: "pointer" }}>
                <Text fz="sm" fw={600}>
                  {t(each.name)}
                </Text>
                <Text fz="xs" c="dimmed">
                  {t(each.text)}
                </Text>
              </button>
            ))}
          </div>
          <TextInput label={t("assistants.name")} required maxLength={255} data-autofocus value={name} error={faults.name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput
            label={t("assistants.key")}
            description={t("assistants.keyHint")}
            required
            maxLength={63}
            pattern="[a-z0-9]([a-z0-9_\-]*[a-z0-9])?"
            value={key}
            error={faults.assistant_key}
            onChange={(event) => setWritten(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={act.isPending} disabled={!name.trim() || !key}>
              {t("common.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function free(key: string, taken: readonly string[]): string {
  if (!taken.includes(key)) return key;
  for (let number = 2; ; number += 1) if (!taken.includes(`${key.slice(0, 58)}-${number}`)) return `${key.slice(0, 58)}-${number}`;
}
