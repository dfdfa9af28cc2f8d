import { pick } from "../contract/random.js";
import type { Operation } from "./sides.js";
import { ATTRIBUTES, type Tree, type TreeType } from "./tree.js";

export const UUIDS = Array.from(
  { length: 4 },
  (_, n) => `${String(n + 1).repeat(8)}-aaaa-4bbb-8ccc-00000000000${n}`,
);
const PARENTS = ["0000:3b:00.0", "0000:00:02.0", "mtty", "9", "10", "0.0.26ab"];
const TYPES = ["t-1", "t-2", "t-10"];
const NAMES = ["\n", " GRID T4-1B \n", "é\u2003", "a\nb\n", ""];
const DESCRIPTIONS = ["a: 1\nb: 2\n", "one=1, two=2", "\n\n", ' "quoted"\\ \t\u0001\n'];
const VALUES = ["5", "0xab", "a b", "é", '"\\', "1\n", "\t"];
const ODD_CONFIGS = [
  '{"mdev_type":"t-1","start":"auto"}',
  '{"start":"bogus","mdev_type":"t-2","attrs":null}',
  '{"mdev_type":"t-1","start":true,"attrs":[{"attr_a":"1","attr_a":"2"}]}\n',
  ' {"mdev_type" : "t-\\u0031", "start":"manual", "attrs":[{"attr_b":"\\u00e9\\n"}]}',
];
const BROKEN_CONFIGS = [
  "",
  "{",
  "[]",
  '"t-1"',
  '{"mdev_type":"t-1"}',
  '{"mdev_type":null,"start":"auto"}',
  '{"mdev_type":"t-1","start":null}',
  '{"mdev_type":"t-1","start":"auto","attrs":{}}',
  '{"mdev_type":"t-1","start":"auto","attrs":[{}]}',
  '{"mdev_type":"t-1","start":"auto","attrs":["attr_a"]}',
  '{"mdev_type":"t-1","start":"auto","attrs":[{"a":"1","b":"2"}]}',
  '{"mdev_type":"t-1","start":"auto",}',
  '{"mdev_type":"t-1","start":"auto"} {}',
  '{"mdev_type":"\\ud800","start":"auto"}',
  '\ufeff{"mdev_type":"t-1","start":"auto"}',
];

/** What makes mdevctl 1.2 panic wherever it meets it, the list of active devices included. */
const PANICKING_CONFIGS = [
  '{"mdev_type":5,"start":"auto"}',
  '{"mdev_type":"t-1","start":"auto","attrs":[{"a":1}]}',
];

type Next = () => number;
const chance = (next: Next, of: number): boolean => next() < of;

export function randomTree(next: Next): Tree {
  const parents: Record<string, Record<string, TreeType>> = {};
  for (const parent of PARENTS.filter(() => chance(next, 0.5))) {
    const types: Record<string, TreeType> = {};
    for (const type of TYPES.filter(() => chance(next, 0.7))) {
      const files: Record<string, string> = {
        available_instances: chance(next, 0.2) ? "0\n" : "9\n",
        device_api: pick(["vfio-pci\n", "vfio-ap\n", "vfio-ccw"], next),
      };
      if (chance(next, 0.6)) files["name"] = pick(NAMES, next);
      if (chance(next, 0.6)) files["description"] = pick(DESCRIPTIONS, next);
      types[type] = { files };
    }
    parents[parent] = types;
  }
  const devices = UUIDS.filter(() => chance(next, 0.25)).flatMap((uuid) => {
    const [parent, types] = pick(Object.entries(parents).concat([["", {}]]), next);
    const ids = Object.keys(types);
    return ids.length === 0 ? [] : [{ uuid, parent, type: pick(ids, next) }];
  });
  const definitions: Record<string, string> = {};
  for (const uuid of UUIDS) {
    while (chance(next, 0.4)) {
      const parent = pick([...PARENTS, ...Object.keys(parents)], next);
      definitions[`${parent}/${uuid}`] = randomConfig(next, 0.06);
    }
  }
  return { parents, devices, definitions };
}

function randomConfig(next: Next, broken: number): string {
  if (chance(next, broken)) return pick(BROKEN_CONFIGS, next);
  if (chance(next, 0.2)) return pick(ODD_CONFIGS, next);
  const attrs = Array.from({ length: Math.floor(next() * 4) }, () => ({
    [attributeName(next)]: pick(VALUES, next),
  }));
  const config = { mdev_type: pick(TYPES, next), start: pick(["auto", "manual"], next), attrs };
  return JSON.stringify(config, null, pick([0, 2, 4], next));
}

function attributeName(next: Next): string {
  return chance(next, 0.15) ? "missing" : pick(ATTRIBUTES, next);
}

export function randomOperation(next: Next): Operation {
  const uuid = pick(UUIDS, next);
  const parent = pick(PARENTS, next);
  const perhaps = chance(next, 0.4) ? parent : undefined;
  const kinds = [
    "define",
    "define json",
    "define active",
    "undefine",
    "modify",
    "modify",
    "start",
    "start",
    "start automatic",
    "stop",
  ] as const;
  const kind = pick(kinds, next);
  switch (kind) {
    case "define":
      return { do: kind, uuid, parent, type: pick([...TYPES, "t-none"], next), auto: chance(next, 0.5) };
    case "define json":
      return {
        do: kind,
        uuid,
        parent,
        json: chance(next, 0.1) ? pick(PANICKING_CONFIGS, next) : randomConfig(next, 0.3),
      };
    case "define active":
    case "stop":
      return { do: kind, uuid };
    case "undefine":
    case "start":
      return { do: kind, uuid, parent: perhaps };
    case "start automatic":
      return { do: kind, parent };
    case "modify": {
      const whose = { do: kind, uuid, parent: perhaps } as const;
      const index = chance(next, 0.5) ? Math.floor(next() * 4) : undefined;
      switch (Math.floor(next() * 4)) {
        case 0:
          return { ...whose, start: pick(["auto", "manual"] as const, next) };
        case 1:
          return { ...whose, start: "manual", type: pick(TYPES, next) };
        case 2:
          return { ...whose, edit: { edit: "delete", index } };
        default:
          return {
            ...whose,
            edit: { edit: "insert", index, attribute: [attributeName(next), pick(VALUES, next)] },
          };
      }
    }
  }
}
