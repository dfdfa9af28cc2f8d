import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests of what gets published, and of the documentation. They need a build: `npm run test:package`. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/package/*.test.ts"],
    testTimeout: 60_000,
    // Node itself loads the package: through its exports, untouched by Vite.
    server: { deps: { external: [/load\.mjs$/u] } },
    reporters: ["default", "json"],
    outputFile: { json: ".cache/reports/package.json" },
  },
});
