"""Provisional chunker."""
from pipelines.ingest import tokens
from pipelines.ingest.elements import Chunk, Extraction, Kind
from pipelines.text import sentences


def chunk(extraction):
    out, headings, cur, at = [], [], [], 0

    def emit():
        if cur:
            text = "\n".join(p[0] for p in cur)
            pages = [p[1] for p in cur if p[1]]
            out.append(Chunk(len(out), text, "general", tokens.count(text), cur[0][2], at, tuple(h for _, h in headings),
                             min(pages) if pages else None, max(pages) if pages else None, tuple(p[3] for p in cur if p[3])[:4]))
            cur.clear()

    size = 0
    for e in extraction.elements:
        if e.kind is Kind.TITLE:
            emit(); size = 0
            lvl = e.level or 1
            headings[:] = [(l, h) for l, h in headings if l < lvl] + [(lvl, e.text)]
        else:
            for a, b in sentences(e.text) or []:
                s = e.text[a:b][:1500]; n = tokens.count(s)
                if size + n > 450:
                    emit(); size = 0
                cur.append((s, e.page, at, e.box)); size += n
        at += len(e.text) + 2
    emit()
    return out
