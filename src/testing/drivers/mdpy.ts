import type { SimulatedParentOptions } from "../definitions.js";

const RESOLUTIONS: Readonly<Record<string, string>> = {
  "mdpy-vga": "640x480",
  "mdpy-xga": "1024x768",
  "mdpy-hd": "1920x1080",
};

/** Options of {@link SimulatedHost.addMdpy}. */
export interface MdpyOptions {
  /** How many displays there can be, of all types together; 4 by default, as the module's parameter. */
  readonly count?: number;
}

/** `mdpy`: displays, counted by the mdev core (samples/vfio-mdev/mdpy.c). */
export function mdpy({ count = 4 }: MdpyOptions): SimulatedParentOptions {
  return {
    path: "devices/virtual/mdpy/mdpy",
    subsystem: "class/mdpy",
    deviceDriver: "mdpy",
    module: { name: "mdpy", parameters: { count: String(count) } },
    types: Object.entries(RESOLUTIONS).map(([id, resolution]) => ({
      id,
      name: id,
      description: `virtual display, ${resolution} framebuffer\n`,
    })),
    deviceAttributes: { "vendor/resolution": { read: ({ typeId }) => `${RESOLUTIONS[typeId] ?? ""}\n` } },
    capacity: count,
  };
}
