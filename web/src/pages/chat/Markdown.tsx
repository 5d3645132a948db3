import { memo, type ReactNode, useMemo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { useMessages } from "../../i18n";
import { type Citation, markers, parts, safeLink, settled } from "./citations";
import { CopyIcon } from "./CopyIcon";
import classes from "./answer.module.css";

const PLUGINS = [remarkGfm, markers];

interface Props {
  text: string;
  citations: ReadonlyMap<number, Citation>;
  isWriting: boolean;
  onCite: (citation: Citation) => void;
}

/**
 * An answer as it was meant: markdown without HTML, pictures or foreign addresses, its markers as chips.
 *
 * What a model writes is a stranger's text: elements come from markdown's grammar alone, and each of them is React's.
 */
function Markdown({ text, citations, isWriting, onCite }: Props) {
  const components = useMemo(
    (): Components => ({
      ...PLAIN,
      cite: ({ node }) => <Chip number={Number(node?.properties.dataNumber)} citations={citations} onCite={onCite} />,
    }),
    [citations, onCite],
  );
  // An answer comes by the word: only its last part is read anew with each.
  const texts = isWriting ? parts(settled(text)) : [text];
  return (
    <div className={classes.markdown} dir="auto">
      {texts.map((each, at) => (
        <Part key={at} text={each} components={components} />
      ))}
    </div>
  );
}

export default memo(Markdown);

const Part = memo(function Part({ text, components }: { text: string; components: Components }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={components} urlTransform={safeLink} skipHtml={false}>
      {text}
    </ReactMarkdown>
  );
});

/** Headings of an answer stand below that of its question; tables scroll by themselves on a phone. */
const PLAIN: Components = {
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <>{children}</>
    ),
  img: ({ alt }) => <>{alt}</>,
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h3>{children}</h3>,
  h4: ({ children }) => <h4>{children}</h4>,
  h5: ({ children }) => <h4>{children}</h4>,
  h6: ({ children }) => <h4>{children}</h4>,
  table: ({ children }) => (
    <div className={classes.table} tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  pre: ({ node, children }) => <Code text={node ? textOf(node) : ""}>{children}</Code>,
};

function Code({ text, children }: { text: string; children: ReactNode }) {
  const t = useMessages();
  return (
    <div className={classes.code} dir="ltr">
      <pre tabIndex={0}>{children}</pre>
      <CopyIcon text={text.replace(/\n$/, "")} label={t("chat.copyCode")} />
    </div>
  );
}

interface TextNode {
  value?: string;
  children?: TextNode[];
}

function textOf({ value = "", children = [] }: TextNode): string {
  return value + children.map(textOf).join("");
}

function Chip({ number, citations, onCite }: Pick<Props, "citations" | "onCite"> & { number: number }) {
  const t = useMessages();
  const citation = citations.get(number);
  // While it is written the sources are not known yet.
  if (!citation) return <span className={classes.chip}>{number}</span>;
  const { filename, page } = citation;
  const label = page ? t("chat.citationPage", { number, name: filename, page }) : t("chat.citation", { number, name: filename });
  return (
    <button type="button" className={classes.chip} aria-label={label} title={label} onClick={() => onCite(citation)}>
      {number}
    </button>
  );
}
