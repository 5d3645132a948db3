import { Button, Group, Text, Title } from "@mantine/core";
import { IconFileText, IconMicrophone, IconQuote, IconShieldLock } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "react-router";
import { useMe } from "../../api/me";
import { useMessages } from "../../i18n";
import classes from "./home.module.css";

const POINTS = [
  ["home.pointCitations", "home.pointCitationsText", IconQuote],
  ["home.pointVoice", "home.pointVoiceText", IconMicrophone],
  ["home.pointYours", "home.pointYoursText", IconShieldLock],
] as const;

/** What AURA is, for somebody who is not signed in. */
export default function Homepage() {
  const t = useMessages();
  const { me } = useMe();
  useEffect(() => void (document.title = "AURA"), []);
  return (
    <div className={classes.front}>
      <section className={classes.hero}>
        <div className={classes.said}>
          <Title order={1} className={classes.tagline}>
            {t("home.tagline")}
          </Title>
          <Text fz="lg" c="dimmed" maw="38rem">
            {t("home.about")}
          </Text>
          <Group gap="sm" mt="xs">
            {me && (
              <Button component={Link} to="/app" size="md">
                {t("common.toHome")}
              </Button>
            )}
            <Button component={Link} to="/register" size="md" variant={me ? "default" : "filled"}>
              {t("common.signUp")}
            </Button>
            <Button component={Link} to="/login" size="md" variant="default">
              {t("common.signIn")}
            </Button>
          </Group>
        </div>
        <Sample />
      </section>
      <section className={classes.points}>
        {POINTS.map(([title, text, Icon]) => (
          <div key={title}>
            <Icon size={24} stroke={1.5} className={classes.pointIcon} aria-hidden />
            <Title order={2} fz="md" mt="xs">
              {t(title)}
            </Title>
            <Text fz="sm" c="dimmed" mt={4}>
              {t(text)}
            </Text>
          </div>
        ))}
      </section>
    </div>
  );
}

/** What an answer looks like. */
function Sample() {
  const t = useMessages();
  return (
    <figure className={classes.sample} aria-label={t("home.sampleTitle")}>
      <Text fz="sm" className={classes.sampleQuestion}>
        {t("home.sampleQuestion")}
      </Text>
      <Text fz="sm">
        {t("home.sampleAnswer")} <sup className={classes.sampleMark}>1</sup>
      </Text>
      <Group gap="xs" justify="space-between" className={classes.sampleSource}>
        <Group gap={8} wrap="nowrap">
          <IconFileText size={18} stroke={1.5} aria-hidden />
          <Text fz="xs" fw={550}>
            {t("home.sampleSource")}
          </Text>
        </Group>
        <Text fz="xs" c="dimmed">
          {t("home.sampleSure")}
        </Text>
      </Group>
    </figure>
  );
}
