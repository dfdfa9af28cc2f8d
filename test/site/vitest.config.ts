import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests of the documentation site, in a real browser. They need it built, and Chromium: `npm run test:site`. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/site/*.test.ts"],
    testTimeout: 1_200_000, // a whole site is read, perhaps on a machine with other work to do
    hookTimeout: 60_000,
    reporters: ["default", "json"],
    outputFile: { json: ".cache/reports/site.json" },
  },
});
