import type {
  SimulatedAttribute,
  SimulatedParent,
  SimulatedParentOptions,
  SimulatedType,
} from "../definitions.js";
import { Errno } from "../errno.js";
import { BusDevice, type BusDeviceOptions } from "../kernel/bus-device.js";
import { line } from "../kernel/device-files.js";
import type { Kernel } from "../kernel/kernel.js";
import { type MdevLayout, merged } from "../kernel/mdev-layout.js";
import { MdevParent } from "../kernel/mdev-parent.js";
import { type CssDriver, cssOf } from "./ccw-bus.js";

const BUS_ID = /^0\.[0-3]\.[0-9a-f]{4}$/u;

/** Options of {@link SimulatedHost.addSubchannel}. */
export interface SubchannelOptions {
  /** Its bus id: `0.0.0313`. */
  readonly id: string;
  /** The bus id of the channel device behind it, or `none`; the same as that of the subchannel where nothing is said. */
  readonly device?: string;
  /** The ids of its channel paths, at most eight, all of them installed and available; one with id 0 by default. */
  readonly chpids?: readonly number[];
  /** Who has it: `vfio_ccw`, by default, or `io_subchannel`, which has those that the host itself uses. */
  readonly driver?: CssDriver;
  /** Whether its channel device does QDIO (FCP, OSA, HiperSockets): vfio_ccw refuses it then. */
  readonly qdio?: boolean;
}

/** A subchannel that was added. While vfio_ccw does not have it, it has no devices and none can be created. */
export interface SimulatedSubchannel extends SimulatedParent {
  /** The driver that has it. */
  readonly driver: CssDriver | undefined;
}

/** s390x has no power management: no device has a folder `power`. */
const withoutPower: MdevLayout = { ...merged, lacks: new Set(["power"]) };

type Own = Required<Pick<SimulatedParentOptions, "path" | "subsystem" | "uevent" | "attributes">>;

/** An I/O subchannel (drivers/s390/cio/css.c, vfio_ccw_drv.c), as recorded from Linux 7.2 on s390x. */
export class Subchannel implements SimulatedSubchannel {
  readonly id: string;
  readonly path: string;
  driver: CssDriver | undefined;
  readonly #kernel: Kernel;
  readonly #own: Own;
  readonly #device: string;
  readonly #mask: string;
  readonly #qdio: boolean;
  #override = "";
  #parent: MdevParent | undefined;
  /** Itself without vfio_ccw, and what io_subchannel finds behind it. */
  #plain: BusDevice[] = [];

  constructor(kernel: Kernel, options: SubchannelOptions) {
    const { id, device = id, chpids = [0], qdio = false } = options;
    if (!BUS_ID.test(id)) throw new Error(`${id} is no bus id of a subchannel like 0.0.0313`);
    if (device !== "none" && !BUS_ID.test(device))
      throw new Error(`${device} is no bus id of a channel device like 0.0.1111, nor none`);
    if (chpids.length > 8 || !chpids.every((chpid) => Number.isInteger(chpid) && chpid >= 0 && chpid <= 0xff))
      throw new Error("a subchannel has at most eight channel paths, with ids from 0 to 255");
    if (qdio && options.driver === "vfio_ccw") throw new Error("vfio_ccw takes no subchannel that does QDIO");
    this.id = id;
    this.#kernel = kernel;
    this.#device = device;
    this.#mask = hex(0xff & ~(0xff >> chpids.length));
    this.#qdio = qdio;
    this.#own = {
      path: `devices/css0/${id}`,
      subsystem: "bus/css",
      uevent: ["ST=0", "MODALIAS=css:t0"],
      attributes: {
        chpids: says(Array.from({ length: 8 }, (_, path) => `${hex(chpids[path] ?? 0)} `).join("")),
        dev_busid: says(device),
        driver_override: {
          read: () => `${this.#override === "" ? "(null)" : this.#override}\n`,
          write: (text) => void (this.#override = line(text)),
        },
        modalias: says("css:t0"),
        pimpampom: says(`${this.#mask} ${this.#mask} ff`),
        type: says("0"),
      },
    };
    this.path = `${kernel.sysfs.path}/${this.#own.path}`;
    cssOf(kernel).add(this);
    const driver = options.driver ?? (qdio ? "io_subchannel" : "vfio_ccw");
    if (driver === "vfio_ccw") this.#override = driver;
    this.#attach(driver);
  }

  get devices(): readonly string[] {
    return this.#parent?.devices ?? [];
  }

  addType(type: SimulatedType): void {
    this.#bound.addType(type);
  }

  removeType(typeId: string): void {
    this.#bound.removeType(typeId);
  }

  create(typeId: string, uuid?: string): string {
    return this.#bound.create(typeId, uuid);
  }

  remove(uuid: string): void {
    this.#bound.remove(uuid);
  }

  async unplug(): Promise<void> {
    cssOf(this.#kernel).forget(this);
    await this.#detach();
  }

  /** `bind` of a driver. */
  bind(driver: CssDriver): void {
    if (this.#override !== "" && this.#override !== driver) throw new Errno("ENODEV");
    if (this.driver !== undefined) throw new Errno("EBUSY");
    if (driver === "vfio_ccw" && this.#qdio) throw new Errno("ENODEV");
    this.#takePlain();
    this.#attach(driver);
  }

  /** `unbind` of its driver: takes the devices along; waits while one is open. */
  async unbind(): Promise<void> {
    await this.#detach();
    this.#attach(undefined);
  }

  get #bound(): MdevParent {
    if (!this.#parent) throw new Error(`${this.id} is not bound to vfio_ccw`);
    return this.#parent;
  }

  #attach(driver: CssDriver | undefined): void {
    this.driver = driver;
    if (driver === "vfio_ccw") {
      this.#parent = this.#offer();
      return;
    }
    if (driver === undefined) {
      this.#plain = [plain(this.#kernel, this.#own)];
      return;
    }
    const files = { logging: { write: () => undefined }, vpm: says(this.#mask) };
    const subchannel = { ...this.#own, driver, attributes: { ...this.#own.attributes, ...files } };
    this.#plain = [plain(this.#kernel, subchannel)];
    if (this.#device === "none") return;
    const path = `${this.#own.path}/${this.#device}`;
    const attributes = { availability: says("good"), online: says("1") };
    this.#plain.push(plain(this.#kernel, { path, subsystem: "bus/ccw", attributes }));
  }

  /** What vfio_ccw makes of it. */
  #offer(): MdevParent {
    const old = this.#kernel.release === "5.10";
    // since 6.3 the driver has a folder of its own beside the devices, which is none
    const folder: Record<string, SimulatedAttribute> = old
      ? {}
      : { "parent/uevent": { read: () => "", write: () => undefined } };
    const parent = new MdevParent(
      this.#kernel,
      {
        ...this.#own,
        attributes: { ...this.#own.attributes, ...folder },
        driver: "vfio_ccw",
        deviceDriver: "vfio_ccw_mdev",
        module: { name: "vfio_ccw" },
        types: [{ id: "vfio_ccw-io", name: "I/O subchannel (Non-QDIO)", deviceApi: "vfio-ccw" }],
        capacity: {
          countedBy: "core",
          full: old ? "EPERM" : "EUSERS",
          available: (_typeId, existing) => 1 - existing.length,
        },
      },
      withoutPower,
    );
    parent.folder.get("power")?.remove();
    return parent;
  }

  async #detach(): Promise<void> {
    await this.#parent?.unplug();
    this.#parent = undefined;
    this.driver = undefined;
    this.#takePlain();
  }

  #takePlain(): void {
    for (const device of this.#plain.reverse()) device.remove();
    this.#plain = [];
  }
}

function plain(kernel: Kernel, options: BusDeviceOptions): BusDevice {
  const device = new BusDevice(kernel, options);
  device.folder.get("power")?.remove();
  return device;
}

function says(text: string): SimulatedAttribute {
  return { read: () => `${text}\n` };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
