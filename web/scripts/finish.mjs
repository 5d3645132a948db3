// After the build: the size of what a first visit loads is held to its budget, and every text file is compressed.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const KB = 1000;
const TEXT = /\.(js|css|html|svg|json)$/;
const SMALLEST_BYTES = 1024;

const manifest = JSON.parse(readFileSync(join(DIST, ".vite/manifest.json"), "utf8"));

/** The files that are loaded with a module: itself, its styles, and what it imports at once. */
function loaded(name, found = new Set()) {
  const { file, css = [], imports = [] } = manifest[name];
  for (const each of [file, ...css]) found.add(each);
  for (const each of imports) if (!found.has(manifest[each].file)) loaded(each, found);
  return found;
}

const gzipped = (names) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, name))).length, 0);

function hold(what, bytes, budget) {
  console.log(`${what}: ${(bytes / KB).toFixed(1)} kB gzipped (at most ${budget})`);
  if (bytes > budget * KB) {
    console.error(`${what} is over its budget.`);
    process.exitCode = 1;
  }
}

hold("A first visit", gzipped(loaded("index.html")), 250);
hold("The widget", gzipped(["widget/widget.js"]), 60);

for (const entry of readdirSync(DIST, { recursive: true })) {
  const path = join(DIST, entry);
  if (!TEXT.test(path) || statSync(path).size < SMALLEST_BYTES) continue;
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
}
