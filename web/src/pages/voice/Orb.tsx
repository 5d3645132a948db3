import { IconMicrophone, IconMicrophoneOff } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useMessages } from "../../i18n";
import type { CallView, VoiceCall } from "../../voice/call";
import classes from "./voice.module.css";

const BARS = 5;
/** How much each bar follows the level: the middle one most. */
const REACH = [0.45, 0.8, 1, 0.75, 0.5];

interface Props {
  call: VoiceCall;
  view: CallView;
}

/** The one button: begins and ends a conversation, or is held to talk. Its shape is the state; the level moves it. */
export function Orb({ call, view }: Props) {
  const t = useMessages();
  const button = useRef<HTMLButtonElement>(null);
  const { phase, isMuted, isPushToTalk, isTalking } = view;
  const isHeld = isPushToTalk && phase !== "idle";
  useLevel(button, call, phase !== "idle");
  const label = phase === "idle" ? t("voice.start") : isHeld ? t("voice.hold") : t("voice.end");
  const talking = (event: { preventDefault: () => void }, isDown: boolean) => {
    if (!isHeld) return;
    event.preventDefault();
    call.talk(isDown);
  };
  return (
    <button
      ref={button}
      type="button"
      className={classes.orb}
      data-phase={phase}
      data-muted={isMuted || undefined}
      data-talking={isTalking || undefined}
      aria-label={label}
      aria-pressed={isHeld ? isTalking : undefined}
      onClick={(event) => {
        if (phase === "idle") void call.begin();
        else if (!isHeld) call.end();
        // Enter and screen readers cannot hold it: pressed once it talks, pressed again it sends.
        else if (event.detail === 0) call.talk(!isTalking);
      }}
      onPointerDown={(event) => talking(event, true)}
      onPointerUp={(event) => talking(event, false)}
      onPointerCancel={(event) => talking(event, false)}
      onPointerLeave={(event) => talking(event, false)}
      onContextMenu={(event) => isHeld && event.preventDefault()}
    >
      <span className={classes.halo} aria-hidden />
      <Glyph phase={phase} isMuted={isMuted} />
    </button>
  );
}

/** A microphone, an ear that is open, dots that wander, or bars that speak: to be told apart without colour. */
function Glyph({ phase, isMuted }: { phase: CallView["phase"]; isMuted: boolean }) {
  if (phase === "opening" || phase === "mending" || phase === "thinking") {
    return (
      <span className={classes.dots} aria-hidden>
        <i />
        <i />
        <i />
      </span>
    );
  }
  if (phase === "speaking" || phase === "hearing") {
    return (
      <span className={classes.bars} aria-hidden>
        {Array.from({ length: BARS }, (_, index) => (
          <i key={index} style={{ "--reach": REACH[index] } as React.CSSProperties} />
        ))}
      </span>
    );
  }
  const Icon = isMuted ? IconMicrophoneOff : IconMicrophone;
  return <Icon size={56} stroke={1.4} aria-hidden />;
}

/** Gives the button the level of whoever speaks as `--level`, once for each picture; React draws nothing for it. */
function useLevel(target: React.RefObject<HTMLElement | null>, call: VoiceCall, isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return target.current?.style.setProperty("--level", "0");
    let shown = 0;
    let request = requestAnimationFrame(function draw() {
      const wanted = call.view.phase === "speaking" ? call.levels.output : call.levels.input;
      // Rises at once and falls slowly, as a needle does.
      shown = Math.max(wanted, shown * 0.88);
      target.current?.style.setProperty("--level", shown.toFixed(3));
      request = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(request);
  }, [target, call, isOn]);
}
