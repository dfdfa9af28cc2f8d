import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/{package,site,kernel,peers}/**"],
    testTimeout: 30_000, // for machines with other work to do
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
    reporters: ["default", "json"],
    outputFile: { json: ".cache/reports/unit.json" },
    coverage: {
      provider: "v8",
      include: ["src/**"],
      reporter: ["text-summary", "html"],
      thresholds: { lines: 95 },
    },
  },
});
