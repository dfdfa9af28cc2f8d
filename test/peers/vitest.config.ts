import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Against the programs that our users have beside this library: `npm run test:peers`. Takes root, since mdevctl knows no
 * other tree than `/`; what is missing is installed with apt.
 *
 *     VFIO_MDEV_SEED=1 VFIO_MDEV_ROUNDS=5000 npm run test:peers
 */
export default defineConfig({
  test: {
    root: resolve(import.meta.dirname, "../.."),
    include: ["test/peers/**/*.test.ts"],
    globalSetup: "test/peers/install.ts",
    testTimeout: 600_000,
    hookTimeout: 900_000, // libvirts and QEMUs are downloaded once
    reporters: ["default", "json"],
    outputFile: { json: ".cache/reports/peers.json" },
  },
});
