import { integer } from "../attributes/codec.js";
import { isName, isUuid } from "../identifiers.js";
import { baseName } from "../paths.js";
import type { Layout } from "./layout.js";

const GONE = { is: "gone", because: "its parent or type is no longer there" } as const;
const FULL = {
  is: "no-instances",
  because: "no instance of this type is left",
  hint: "The types of a parent share its instances: remove a device of any of them, or take another parent.",
} as const;
const BUSY = { is: "busy", because: "the driver is busy", hint: "Try again later." } as const;

/**
 * What Linux has had since 4.10: `<parent>/mdev_supported_types/<type>/{create,…}`, `<parent>/<uuid>/{remove,…}`
 * (`Documentation/driver-api/vfio-mediated-device.rst`, `Documentation/ABI/testing/sysfs-bus-vfio-mdev`).
 */
export const merged: Layout = {
  name: "merged",

  fits: (io, parent) => io.isDirectory(typesOf(parent)),

  typeIds: (io, parent) => io.namesIn(typesOf(parent)),

  typePath: (parent, id) => `${typesOf(parent)}/${id}`,

  // Other folders lie beside the devices (`power`, a child device named `parent` of vfio_ccw): only a UUID is one.
  deviceIds: async (io, parent) => (await io.namesIn(parent)).filter(isUuid),

  deviceIdsOf: async (io, parent, typeId) =>
    (await io.namesIn(`${merged.typePath(parent, typeId)}/devices`)).filter(isUuid),

  typeIdOf: async (io, device) => {
    const target = await io.linkTarget(`${device}/mdev_type`);
    const id = target === undefined ? "" : baseName(target);
    return isName(id) ? id : undefined;
  },

  availableInstances: async (io, parent, typeId) => {
    const decoded = integer.decode(
      await io.readFile(`${merged.typePath(parent, typeId)}/available_instances`),
    );
    return decoded.ok ? decoded.value : undefined;
  },

  // The kernel makes the bus link first and `mdev_type` last; it takes `remove` away first, then `mdev_type`.
  stateOf: async (io, device, busLink) => {
    if (!(await io.exists(device))) return undefined;
    const registered = (await io.exists(busLink)) && (await io.exists(`${device}/remove`));
    if (!registered) return "removing";
    return (await io.exists(`${device}/mdev_type`)) ? "active" : "creating";
  },

  create: (parent, typeId, uuid) => ({
    path: `${merged.typePath(parent, typeId)}/create`,
    text: `${uuid}\n`,
  }),

  remove: (device) => ({ path: `${device}/remove`, text: "1\n" }),

  createErrnos: {
    EEXIST: { is: "already-exists", because: "a device with this UUID exists already" },
    ENOSPC: FULL, // counted by the driver
    EUSERS: FULL, // counted by the mdev core
    ENOENT: GONE,
    ENODEV: GONE,
    EINVAL: { is: "rejected", because: "the driver refused it" },
    EIO: { is: "rejected", because: "the driver refused it", hint: "The kernel's log may say why." },
    EAGAIN: BUSY,
    EBUSY: BUSY,
  },

  // ENOMEM: Linux 5.10's drivers; EIO: any refusal of NVIDIA's; EPERM: the s390 drivers before 6.1.
  fullErrnos: new Set(["EIO", "ENOMEM", "EPERM"]),

  removeErrnos: {
    EAGAIN: { is: "busy", because: "it is not completely created yet" },
    EBUSY: { is: "busy", because: "it is in use" },
    EINVAL: { is: "rejected", because: "the driver refused it" },
    ENOENT: { is: "gone", because: "it is no longer there" },
    ENODEV: { is: "gone", because: "it is no longer there" },
  },
};

function typesOf(parent: string): string {
  return `${parent}/mdev_supported_types`;
}
