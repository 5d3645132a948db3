import { Button, Paper, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode, SubmitEvent } from "react";
import { useLocation, useNavigate } from "react-router";
import type { Schemas } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import { signIn } from "../../api/session";
import { ErrorNote } from "../../components/ErrorNote";
import { Page } from "../../components/Page";

interface Props {
  title: string;
  text?: string;
  submit: string;
  /** Does it with what was typed, by the names of the fields. */
  onSubmit: (fields: Record<string, string>) => Promise<unknown>;
  children: ReactNode | ((problem: Problem | null) => ReactNode);
  below?: ReactNode;
}

/** A form of a few fields in the middle of the page: sign in, sign up, choose a password. */
export function AccountForm({ title, text, submit, onSubmit, children, below }: Props) {
  const act = useMutation({ mutationFn: onSubmit });
  const submitted = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate(Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>);
  };
  const problem = act.error ? asProblem(act.error) : null;
  return (
    <Page title={title} isTitleHidden width="reading">
      <Paper withBorder radius="lg" p={{ base: "lg", xs: "xl" }} w="100%" maw={420} mx="auto" bg="var(--aura-panel)">
        <form onSubmit={submitted}>
          <Stack gap="md">
            <div>
              <Text component="div" aria-hidden fz="1.375rem" fw={620} lh={1.25}>
                {title}
              </Text>
              {text && (
                <Text c="dimmed" fz="sm" mt={6}>
                  {text}
                </Text>
              )}
            </div>
            <ErrorNote error={problem} />
            {typeof children === "function" ? children(problem) : children}
            <Button type="submit" size="md" fullWidth mt={4} loading={act.isPending}>
              {submit}
            </Button>
          </Stack>
        </form>
      </Paper>
      {below && (
        <Text ta="center" fz="sm" c="dimmed">
          {below}
        </Text>
      )}
    </Page>
  );
}

/** Returns what keeps a login and goes on to where somebody wanted to be. */
export function useEntry(): (answer: Schemas["LoginAnswer"]) => void {
  const navigate = useNavigate();
  const { state } = useLocation();
  return (answer) => {
    signIn(answer);
    void navigate(entrance(state), { replace: true });
  };
}

/** Returns where somebody wanted to be when they were asked who they are, or the overview. */
export function entrance(state: unknown): string {
  return (state as { to?: string } | null)?.to ?? "/app";
}

/** Returns the token that a mail's link carries behind `#`, which no server is sent. */
export function useLinkToken(): string {
  return useLocation().hash.slice(1);
}
