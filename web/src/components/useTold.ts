import { notifications } from "@mantine/notifications";
import { asProblem } from "../api/problem";
import { useSentence } from "../i18n";

/** Returns what tells, at the edge of the page, why something that was asked for did not happen. */
export function useTold(): (thrown: unknown) => void {
  const sentence = useSentence();
  return (thrown) => void notifications.show({ color: "red", message: sentence(asProblem(thrown)) });
}
