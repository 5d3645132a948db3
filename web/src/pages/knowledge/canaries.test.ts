import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { MemoryRouter } from "react-router";
import { beforeAll, expect, test } from "vitest";
import { allMessages } from "../../i18n";
import { DocumentRow } from "./DocumentRow";
import { Hit } from "./search/Hit";

beforeAll(allMessages);

const CANARY = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;

const written = (element: ReactElement) =>
  renderToStaticMarkup(
    createElement(MantineProvider, null, createElement(QueryClientProvider, { client: new QueryClient() }, createElement(MemoryRouter, null, element))),
  );

/** Elements that nobody but the canary would have brought. */
const brought = (html: string) => [...html.matchAll(/<img|<script(?! data-mantine-script)|\sonerror=(?=[^&]*>)/g)].map(([found]) => found);

test("what a file is called and says is text and nothing else", () => {
  const names = { filename: CANARY, title: CANARY, folder: CANARY, tags: [CANARY], detail: CANARY, file_type: CANARY };
  const document = { id: "1", file_size: 1, status: "failed", created_at: "2026-01-01T00:00:00Z", chunks: 0, ...names } as never;
  expect(brought(written(createElement(DocumentRow, { document })))).toEqual([]);
  const passage = { chunk_id: 1, doc_id: "1", source: "document_chunks", filename: CANARY, text: CANARY, heading_path: [CANARY], scores: {} } as never;
  const ranks = { fused: new Map([[1, 1]]), vector: new Map(), bm25: new Map() };
  const html = written(createElement(Hit, { passage: { ...(passage as object), scores: { fused: 1, vector: null, bm25: null } } as never, mode: "fused", ranks, isSame: false, onLook: () => undefined }));
  expect(brought(html)).toEqual([]);
  expect(html).toContain("&lt;script&gt;alert(2)");
});
