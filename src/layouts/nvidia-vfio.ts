import { integer } from "../attributes/codec.js";
import { derived, file, NOWHERE } from "../attributes/source.js";
import { DecodeFailure, isVanished } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { inNaturalOrder, isVirtualFunctionLink } from "../identifiers.js";
import { baseName } from "../paths.js";
import type { FoundDevice, FoundParent, Layout } from "./layout.js";
import { parseVgpuTable } from "./vgpu-table.js";

const TYPE_ID = /^nvidia-([1-9][0-9]{0,8})$/;
const IN_USE = { is: "busy", because: "it is in use, or its virtual machine has just stopped" } as const;

/**
 * NVIDIA's interface on SR-IOV functions, which replaced mediated devices for its newer GPUs on Linux 6.8 and later:
 * `<function>/nvidia/{creatable_vgpu_types,current_vgpu_type}`. A parent is a virtual function; it holds one vGPU at
 * the most, whose id is the function's PCI address. Known from public sources; not run on a card.
 */
export const nvidiaVfio: Layout = {
  name: "nvidia-vfio",

  offers: (io, parent) => io.exists(currentFile(parent)),

  fits: (io, parent) => io.exists(currentFile(parent)),

  registration: "nvidia",

  hasTypeFolders: false,

  // The current type is listed even where the driver lists nothing creatable any more.
  typeIds: async (io, parent) => {
    const numbers = new Set((await creatable(io, parent)).keys());
    const current = await currentType(io, parent);
    if (current !== 0) numbers.add(current);
    return [...numbers].map(typeId);
  },

  hasType: async (io, parent, id) => (await nvidiaVfio.typeIds(io, parent)).includes(id),

  typePath: () => undefined,

  typeSource: (parent, id, fact) => {
    switch (fact) {
      case "name":
        return derived((io) => typeName(io, parent, typeNumber(id)));
      case "availableInstances":
        return derived((io) => available(io, parent, typeNumber(id)));
      case "deviceApi": // a PCI function, which QEMU opens as one
        return derived(async () => "vfio-pci");
      default:
        return NOWHERE;
    }
  },

  devices: async (io, parent) => {
    const current = await currentType(io, parent.path);
    return current === 0 ? [] : [deviceOf(parent, typeId(current))];
  },

  deviceAt: (parent, _id, id) => deviceOf(parent, id ?? ""),

  devicesOf: async (io, parent, wanted) =>
    (await nvidiaVfio.devices(io, parent)).filter((device) => device.typeId === wanted),

  typeIdOf: async (io, { path }) => {
    const current = await currentType(io, path);
    return current === 0 ? undefined : typeId(current);
  },

  // Another type is the device of another owner, who got the function since.
  exists: async (io, device) => {
    try {
      return (await nvidiaVfio.typeIdOf(io, device)) === device.typeId;
    } catch (thrown) {
      if (isVanished(thrown)) return false;
      throw thrown;
    }
  },

  stateOf: async () => "active",

  identity: undefined,

  groupStays: () => false,

  look: async (_home, device) => ({ typeId: device.typeId, state: "active", inode: undefined }),

  deviceSource: (fact) => (fact === "reset" ? file("reset") : NOWHERE),

  createFacts: new Set<never>(),

  target: ({ parent, typeId: id }) => deviceOf(parent, id),

  create: ({ parent, typeId: id }) => ({ path: currentFile(parent.path), text: `${typeNumber(id)}\n` }),

  settings: () => [],

  createErrnos: {
    EPERM: { is: "no-instances", because: "the function has a vGPU already" },
    EIO: { is: "no-instances", because: "the GPU refused it", hint: "The kernel's log may say why." },
    ENOSPC: { is: "no-instances", because: "the GPU is full" },
    EBUSY: IN_USE,
    EINVAL: { is: "rejected", because: "the GPU cannot have this type beside those that it has" },
    ENODEV: { is: "rejected", because: "the driver does not know the type" },
    ENOENT: { is: "gone", because: "the function is no longer there, or its driver" },
  },

  fullErrnos: new Set(),

  remove: async (_io, { path }) => ({ path: currentFile(path), text: "0\n" }),

  removeErrnos: {
    EPERM: IN_USE,
    EBUSY: IN_USE,
    EIO: { is: "rejected", because: "the GPU refused it" },
    EINVAL: { is: "rejected", because: "the driver refused it" },
  },

  passingErrnos: new Set(["EBUSY", "EPERM"]),
};

function currentFile(folder: string): string {
  return `${folder}/nvidia/current_vgpu_type`;
}

function typeId(number: number): string {
  return `nvidia-${number}`;
}

function typeNumber(id: string): number {
  return Number(TYPE_ID.exec(id)?.[1] ?? NaN);
}

function deviceOf(parent: FoundParent, id: string): FoundDevice {
  return { id: baseName(parent.path), path: parent.path, parent, typeId: id };
}

/** The number of the type that the function has; 0: none. */
async function currentType(io: Io, folder: string): Promise<number> {
  const path = currentFile(folder);
  const raw = await io.readFile(path);
  const decoded = integer.decode(raw);
  if (!decoded.ok) throw new DecodeFailure(path, raw, decoded.error);
  if (decoded.value < 0) throw new DecodeFailure(path, raw, "is below 0");
  return decoded.value;
}

/** The types that can be created on the function now, by their numbers. */
async function creatable(io: Io, folder: string): Promise<ReadonlyMap<number, string>> {
  const path = `${folder}/nvidia/creatable_vgpu_types`;
  const raw = await io.readFile(path);
  const table = parseVgpuTable(raw);
  if (!table.ok) throw new DecodeFailure(path, raw, table.error);
  return table.value;
}

async function available(io: Io, folder: string, number: number): Promise<string> {
  const free = (await currentType(io, folder)) === 0 && (await creatable(io, folder)).has(number);
  return free ? "1" : "0";
}

/** The name of a type: a function that has a vGPU need not list it, but the card's other functions may. */
async function typeName(io: Io, folder: string, number: number): Promise<string | undefined> {
  const own = (await creatable(io, folder)).get(number);
  if (own !== undefined) return own;
  const links = (await io.namesIn(`${folder}/physfn`)).filter(isVirtualFunctionLink);
  for (const link of inNaturalOrder(links)) {
    try {
      const name = (await creatable(io, `${folder}/physfn/${link}`)).get(number);
      if (name !== undefined) return name;
    } catch (thrown) {
      if (!isVanished(thrown) && !(thrown instanceof DecodeFailure)) throw thrown;
    }
  }
  return undefined;
}
