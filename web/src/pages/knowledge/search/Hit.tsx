import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import type { Schemas } from "../../../api/client";
import { useLanguage, useMessages } from "../../../i18n";
import classes from "../knowledge.module.css";
import type { Ranks } from "./SearchPage";

interface Props {
  passage: Schemas["FoundPassage"];
  mode: keyof Ranks;
  ranks: Ranks;
  /** Whether it is the one that is pointed at, in whichever ranking. */
  isSame: boolean;
  onLook: (chunk: number | null) => void;
}

const MODES = ["fused", "vector", "bm25"] as const;

/** A passage in a ranking: its score there, and where it stands in the others. */
export function Hit({ passage, mode, ranks, isSame, onLook }: Props) {
  const t = useMessages();
  const { language } = useLanguage();
  const score = (value: number | null) => (value === null ? "–" : value.toLocaleString(language, { maximumFractionDigits: 3, minimumFractionDigits: 3 }));
  const isDocument = passage.source === "document_chunks";
  const name = passage.heading_path.length > 0 ? `${passage.filename} › ${passage.heading_path.at(-1)}` : passage.filename;
  return (
    <li
      className={classes.hit}
      data-is-same={isSame || undefined}
      onMouseEnter={() => onLook(passage.chunk_id)}
      onMouseLeave={() => onLook(null)}
      onFocus={() => onLook(passage.chunk_id)}
      onBlur={() => onLook(null)}
    >
      <span className={classes.rank}>{ranks[mode].get(passage.chunk_id)}.</span>
      <div style={{ minWidth: 0 }}>
        {isDocument ? (
          <Anchor component={Link} to={`/app/knowledge/documents/${passage.doc_id}`} fz="sm" fw={550} truncate display="block">
            {name}
          </Anchor>
        ) : (
          <Text fz="sm" fw={550} truncate>
            {name}
          </Text>
        )}
        <div className={classes.figures}>
          {MODES.map((each) => (
            <span key={each} title={t(`knowledge.${each}`)}>
              {t(`knowledge.${each}Short`)} {each === mode ? <strong>{score(passage.scores[each])}</strong> : score(passage.scores[each])}
              {each !== mode && ranks[each].has(passage.chunk_id) && ` (#${ranks[each].get(passage.chunk_id)})`}
            </span>
          ))}
        </div>
        <Text fz="xs" mt={4} className={classes.clamped}>
          {passage.text}
        </Text>
      </div>
    </li>
  );
}
