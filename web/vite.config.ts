import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "~": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    target: "es2023",
    // These know `light-dark()`, which is not to be written otherwise.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    manifest: true,
    // The policy of the pages lets in files of ours alone, no data: scripts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  test: { include: ["src/**/*.test.ts", "widget/**/*.test.ts"] },
  // `npm run dev` beside `make run`.
  server: {
    proxy: Object.fromEntries(
      ["/api", "/health", "/openapi.json", "/docs", "/admin/costs", "/admin/health", "/admin/latency", "/admin/queues", "/ws"].map((path) => [
        path,
        { target: "http://127.0.0.1:8000", ws: path === "/ws" },
      ]),
    ),
  },
});
