import eslint from "@eslint/js";
import tsdoc from "eslint-plugin-tsdoc";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { noFloatingResult } from "./tools/no-floating-result.mjs";

// Which file may import which is not here but in `.dependency-cruiser.mjs`.
export default defineConfig(
  globalIgnores(["dist", "coverage", "site", ".cache"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `import { type T }` alone would still load the module, and so pass by the one-way arrows of the rooms.
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-invalid-void-type": ["error", { allowAsThisParameter: true }],
      "@typescript-eslint/no-misused-spread": ["error", { allow: [{ from: "lib", name: "string" }] }],
      "@typescript-eslint/non-nullable-type-assertion-style": "off", // its cure, `!`, is forbidden
      "@typescript-eslint/require-await": "off", // fakes implement an async interface with nothing to await
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["src/**/*.ts", "test/**/*.ts"],
    ignores: ["test/kernel/**"],
    plugins: { local: { rules: { "no-floating-result": noFloatingResult } } },
    rules: { "local/no-floating-result": "error" },
  },
  {
    files: ["src/**"],
    plugins: { tsdoc },
    rules: {
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name." },
        { selector: "ExportSpecifier[exported.name='default']", message: "Export by name." },
      ],
      "tsdoc/syntax": "error",
    },
  },
  {
    files: ["test/**"],
    rules: { "@typescript-eslint/unbound-method": "off", "@typescript-eslint/no-dynamic-delete": "off" },
  },
  {
    // Scripts, and programs that import the built package: tsc checks their types (tsconfig.json, tsconfig.dist.json).
    files: ["**/*.{js,mjs,cjs}", "test/kernel/**", "examples/**", "bench/**"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "no-undef": "off" },
  },
);
