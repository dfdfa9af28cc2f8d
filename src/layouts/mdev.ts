import { type AttributeSource, file, NOWHERE } from "../attributes/source.js";
import type { Io } from "../file-system/io.js";
import { isName, isUuid } from "../identifiers.js";
import { baseName } from "../paths.js";
import type { FoundDevice, FoundParent, Layout, TypeFact } from "./layout.js";

const GONE = { is: "gone", because: "its parent or type is no longer there" } as const;
const FULL = { is: "no-instances", because: "no instance of this type is left" } as const;
const BUSY = { is: "busy", because: "the driver is busy", hint: "Try again later." } as const;

const TYPES = "mdev_supported_types";

/** The folder of a parent's types. */
export function typesOf(parent: string): string {
  return `${parent}/${TYPES}`;
}

/** The folder of a type. */
export function typeFolder(parent: string, id: string): string {
  return `${typesOf(parent)}/${id}`;
}

/**
 * The files in the folder of one of a parent's types: all of them are alike. Empty where there is no type, `undefined`
 * where there is no folder for types.
 */
export async function filesOfSomeType(io: Io, parent: string): Promise<ReadonlySet<string> | undefined> {
  if (!(await io.isDirectory(typesOf(parent)))) return undefined;
  const [id] = await io.namesIn(typesOf(parent));
  return new Set(id === undefined ? [] : await io.namesIn(typeFolder(parent, id)));
}

/** Facts that are files of a type's folder. */
export function typeFiles(
  names: Readonly<Partial<Record<TypeFact, string>>>,
): (parent: string, id: string, fact: TypeFact) => AttributeSource {
  const sources = new Map(Object.entries(names).map(([fact, name]) => [fact, file(name)]));
  return (_parent, _id, fact) => sources.get(fact) ?? NOWHERE;
}

/** The name of a device's type, from a link of the device. */
export async function linkedType(io: Io, { path }: FoundDevice, link: string): Promise<string | undefined> {
  return typeOfLink(await io.linkTarget(`${path}/${link}`));
}

/** The name of a type, from where a link to it leads. */
export function typeOfLink(target: string | undefined): string | undefined {
  const id = target === undefined ? "" : baseName(target);
  return isName(id) ? id : undefined;
}

type Common =
  | "offers"
  | "registration"
  | "hasTypeFolders"
  | "typeIds"
  | "hasType"
  | "typePath"
  | "devices"
  | "deviceAt"
  | "exists"
  | "target"
  | "settings"
  | "createErrnos"
  | "fullErrnos"
  | "removeErrnos"
  | "passingErrnos";

/** What the layouts with `mdev_supported_types` folders and devices named by UUID have in common. */
export const mdev: Pick<Layout, Common> = {
  offers: (io, parent) => io.isDirectory(typesOf(parent)),

  registration: TYPES,

  hasTypeFolders: true,

  typeIds: (io, parent) => io.namesIn(typesOf(parent)),

  hasType: (io, parent, id) => io.isDirectory(typeFolder(parent, id)),

  typePath: typeFolder,

  // Other folders lie beside the devices (`power`, a child device named `parent` of vfio_ccw): only a UUID is one.
  devices: async (io, parent, names) =>
    (names ?? (await io.namesIn(parent.path))).filter(isUuid).map((uuid) => deviceOf(parent, uuid)),

  deviceAt: deviceOf,

  exists: (io, { path }) => io.exists(path),

  target: ({ parent, uuid }) => deviceOf(parent, uuid),

  settings: () => [],

  createErrnos: {
    EEXIST: { is: "already-exists", because: "a device with this UUID exists already" },
    ENOSPC: FULL, // counted by the driver
    EUSERS: FULL, // counted by the mdev core
    ENOMEM: { is: "no-instances", because: "no instance of this type is left, or no memory" }, // Linux 5.10's drivers
    ENOENT: GONE,
    ENODEV: GONE,
    EINVAL: { is: "rejected", because: "the driver refused it" },
    EIO: { is: "rejected", because: "the driver refused it", hint: "The kernel's log may say why." },
    EAGAIN: BUSY,
    EBUSY: BUSY,
  },

  // EIO: any refusal of NVIDIA's; EPERM: the s390 drivers before 6.1.
  fullErrnos: new Set(["EIO", "EPERM"]),

  removeErrnos: {
    EAGAIN: { is: "busy", because: "it is not completely created yet" },
    EBUSY: { is: "busy", because: "it is in use" },
    EPERM: { is: "busy", because: "the driver does not let it go, so it is probably in use" },
    EINVAL: { is: "rejected", because: "the driver refused it" },
  },

  passingErrnos: new Set(["EBUSY", "EPERM"]),
};

/** The device of a parent that a UUID names. */
export function deviceOf(parent: FoundParent, uuid: string): FoundDevice {
  return { id: uuid, path: `${parent.path}/${uuid}`, parent };
}
