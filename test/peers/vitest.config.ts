import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests against real programs. `npm run test:peers`: see CONTRIBUTING.md for what it takes. */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/peers/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 900_000, // the programs are downloaded once
  },
});
