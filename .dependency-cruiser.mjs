import { core, guests } from "./tools/rooms.mjs";

const pathOf = (/** @type {string[]} */ rooms) => `^src/(?:${rooms.join("|")})(?:\\.ts$|/)`;
const coreRooms = pathOf(core.flat());
// A captured group: `$1` in a rule's `to` is the room that the `from` file lives in.
const guestRooms = `^src/(${guests.map((room) => room.replace("*", "[^/]+")).join("|")})/`;
const guestDoors = guestRooms.replace(/$/u, "index\\.ts$");
const typeOnly = ["type-only"];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...core.slice(1).map((rooms, index) => ({
      name: `only-downwards-from-${rooms.join("-and-")}`,
      comment: "Arrows between the rooms of the core point one way; `import type` may look up.",
      severity: "error",
      from: { path: pathOf(rooms) },
      to: { path: pathOf(core.slice(0, index + 1).flat()), dependencyTypesNot: typeOnly },
    })),
    {
      name: "core-knows-no-guest",
      comment: "Vendors, definitions, interop and the like enter through the core's public names.",
      severity: "error",
      from: { path: coreRooms },
      to: { path: guestRooms },
    },
    {
      name: "guests-use-the-front-door",
      comment: "A guest imports the core through src/index.ts: it is what a stranger could have written.",
      severity: "error",
      from: { path: guestRooms },
      to: { path: coreRooms, pathNot: "^src/index\\.ts$" },
    },
    {
      name: "guests-use-each-others-doors",
      comment: "A guest imports another guest through its index.ts only.",
      severity: "error",
      from: { path: guestRooms },
      to: { path: guestRooms, pathNot: ["^src/$1/", guestDoors] },
    },
    {
      name: "no-cycle",
      comment: "Modules that import each other at run time depend on the order they are loaded in.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: typeOnly } },
    },
    {
      name: "every-file-has-a-room",
      comment: "A new room is listed in tools/rooms.mjs first.",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: [coreRooms, guestRooms] },
    },
    {
      name: "only-what-users-install",
      comment: "src imports itself, node:* and the dependencies of package.json, optional peers included.",
      severity: "error",
      from: {},
      to: { pathNot: "^src/", dependencyTypesNot: ["core", "npm", "npm-peer"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.build.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
    },
  },
};
