import type { AttributeMeaning, ErrnoTable } from "../../index.js";

const BUSY = {
  is: "busy",
  because: "the kernel is just changing the masks of the AP bus, or a virtual machine has the device",
  hint: "Try again later. Before Linux 6.0 nothing can be changed while a virtual machine runs.",
} as const;

/** What unassigning can be refused with, and assigning a control domain. ENODEV is not that the device had gone. */
export const NUMBER_ERRNOS: ErrnoTable<AttributeMeaning> = {
  EBUSY: BUSY,
  EAGAIN: BUSY,
  EINVAL: { is: "rejected", because: "the kernel does not take it for a number" },
  ENODEV: {
    is: "rejected",
    because: "the number is above the highest of this machine",
    hint: "See /sys/bus/ap/ap_max_adapter_id and ap_max_domain_id.",
  },
  ERANGE: { is: "rejected", because: "the number is too big" },
};

/** What assigning queues can be refused with. */
export const ASSIGN_ERRNOS: ErrnoTable<AttributeMeaning> = {
  ...NUMBER_ERRNOS,
  EADDRINUSE: {
    is: "conflict",
    because: "another mediated device has a queue that this would give",
    hint: "None is seen to have it by now: try again; or ask VfioApParent.conflicts.",
  },
  EADDRNOTAVAIL: {
    is: "conflict",
    because: "a queue that this would give is reserved for the host's own drivers",
    hint: "Take its adapter out of /sys/bus/ap/apmask, or its domain out of /sys/bus/ap/aqmask.",
  },
};

/** What writing `ap_config` can be refused with. */
export const CONFIG_ERRNOS: ErrnoTable<AttributeMeaning> = {
  ...ASSIGN_ERRNOS,
  EINVAL: { is: "rejected", because: "the kernel does not take it for three masks" },
};
