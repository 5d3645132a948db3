import { build, defineConfig, type LibraryFormats, type UserConfig } from "vite";

/** Files with names that stay: the sites of tenants name the first, which loads the others when somebody talks. */
const file = (name: string, entry: string, format: LibraryFormats): UserConfig => ({
  root: import.meta.dirname,
  publicDir: name === "widget" ? "public" : false,
  build: {
    target: "es2022",
    outDir: "../dist/widget",
    emptyOutDir: name === "widget",
    lib: { entry, formats: [format], name: "AuraWidget", fileName: () => `${name}.js` },
  },
});

const laterFiles = [file("voice", "voice.ts", "es"), file("sound", "../src/voice/sound.worklet.ts", "iife")];

export default defineConfig({
  ...file("widget", "widget.ts", "iife"),
  plugins: [
    {
      name: "files that are loaded later",
      async closeBundle() {
        for (const each of laterFiles) await build({ configFile: false, logLevel: "warn", ...each });
      },
    },
  ],
});
