/**
 * The rooms of `src/` and who may look into which. A room is a file (`src/host.ts`) or a folder (`src/layouts/`).
 * This is the only list of them; `.dependency-cruiser.mjs` turns it into lint errors.
 */

/**
 * The core, from the top down. At run time a room imports only its own row and the rows below it;
 * `import type` may also look up.
 */
export const core = [
  ["index"],
  ["host"],
  ["reach"],
  ["snapshot", "events"],
  ["parent"],
  ["mdev-type"],
  ["mdev-device"],
  ["lifecycle"],
  ["ownership"],
  ["layouts"],
  ["sysfs-object", "pci", "inspection"],
  ["extension"],
  ["attributes"],
  ["state"],
  ["file-system"],
  ["context", "card", "derived-uuid", "errors", "identifiers", "log", "node-builtin", "paths"],
];

/**
 * What stands on top of the core, each as if a stranger had written it: it imports the core through `src/index.ts`
 * and another guest through that guest's `index.ts`, types included. The core never imports a guest.
 */
export const guests = ["extensions/*", "definitions", "interop/*", "planning", "recording", "testing"];
