import type { SimulatedModule } from "../definitions.js";
import { Errno } from "../errno.js";
import { addSilentUevent, line } from "./device-files.js";
import type { Kernel } from "./kernel.js";
import type { Directory } from "./kernfs.js";
import type { MdevDevice } from "./mdev-device.js";

/** The driver of all mediated devices before they had drivers of their own. */
export const VFIO_MDEV = "vfio_mdev";

interface Driver {
  readonly folder: Directory;
  readonly module: string;
  users: number;
}

/** `/sys/bus/mdev`: its drivers, and the list that keeps a UUID from being used twice. */
export class MdevBus {
  /** All devices from the first step of their creation to the last of their removal, on whatever parent. */
  readonly devices: Map<string, MdevDevice> = new Map<string, MdevDevice>();
  autoprobe = true;
  readonly #kernel: Kernel;
  readonly #drivers = new Map<string, Driver>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Module `mdev` is loaded: once, and never unloaded. */
  load(): void {
    const { sysfs, modules, release } = this.#kernel;
    if (sysfs.ensure("bus").get("mdev")) return;
    modules.load({ name: "mdev", version: "0.1" });
    const bus = sysfs.ensure("bus/mdev");
    bus.directory("devices");
    bus.directory("drivers");
    bus.file("drivers_autoprobe", 0o644, {
      read: () => (this.autoprobe ? "1\n" : "0\n"),
      write: (text) => void (this.autoprobe = !text.startsWith("0")),
    });
    bus.file("drivers_probe", 0o200, {
      write: (name) => {
        const device = this.#find(name);
        if (device.driver === undefined && release === "5.10") device.bind();
      },
    });
    addSilentUevent(bus);
    if (release !== "5.10") sysfs.ensure("class/mdev_bus");
  }

  /** A driver of mediated devices, and its module; counted, as several parents may have the same. */
  addDriver(name: string, module: SimulatedModule): void {
    const { sysfs, modules } = this.#kernel;
    modules.load(module, "mdev");
    const there = this.#drivers.get(name);
    if (there) {
      there.users++;
      return;
    }
    const folder = sysfs.ensure("bus/mdev/drivers").directory(name);
    this.#drivers.set(name, { folder, module: module.name, users: 1 });
    folder.file("bind", 0o200, { write: (text) => this.#bind(text) });
    folder.file("unbind", 0o200, { write: (text) => this.#unbind(name, text) });
    addSilentUevent(folder);
    const home = modules.folder(module.name);
    if (!home) return;
    folder.link("module", home);
    home.ensure("drivers").link(`mdev:${name}`, folder);
  }

  removeDriver(name: string): void {
    const driver = this.#drivers.get(name);
    if (!driver) return;
    if (--driver.users === 0) {
      this.#drivers.delete(name);
      driver.folder.remove();
    }
    this.#kernel.modules.unload(driver.module);
  }

  /** The folder of a driver, where its devices have links. */
  driver(name: string): Driver | undefined {
    return this.#drivers.get(name);
  }

  #find(text: string): MdevDevice {
    const device = this.devices.get(line(text));
    if (!device?.onBus) throw new Errno("ENODEV");
    return device;
  }

  async #unbind(driver: string, text: string): Promise<void> {
    const device = this.#find(text);
    if (device.driver !== driver) throw new Errno("ENODEV");
    await device.unbind();
  }

  #bind(text: string): void {
    const device = this.#find(text);
    // since mdev devices are attached by hand, no driver ever matches one
    if (device.driver !== undefined || this.#kernel.release !== "5.10") throw new Errno("ENODEV");
    device.bind();
  }
}
