import { BusDevice } from "../kernel/bus-device.js";
import { addAttribute } from "../kernel/device-files.js";
import type { Kernel } from "../kernel/kernel.js";
import type { LinkNode } from "../kernel/kernfs.js";
import { queueName } from "./ap-text.js";

/** CEX8, the type of all cards here: vfio_ap takes no card below type 10. */
const HARDWARE_TYPE = 14;
const UEVENT = ["DEV_TYPE=000E", "MODALIAS=ap:t0E"];

/** A device on the AP bus, whose driver can change: a card, or a queue. */
export class ApDevice {
  driver: string | undefined;
  readonly #kernel: Kernel;
  readonly #device: BusDevice;
  #links: readonly LinkNode[] = [];

  constructor(kernel: Kernel, path: string) {
    this.#kernel = kernel;
    this.#device = new BusDevice(kernel, { path: `devices/ap/${path}`, subsystem: "bus/ap", uevent: UEVENT });
    this.#device.folder.get("power")?.remove(); // the kernel of s390x has no power management
    addAttribute(this.#device.folder, "hwtype", { read: () => `${HARDWARE_TYPE}\n` });
  }

  /** Binds it to a driver, or to none. */
  bind(driver: string | undefined): void {
    for (const link of this.#links) link.remove();
    this.driver = driver;
    if (driver === undefined) return;
    const drivers = this.#kernel.sysfs.ensure(`bus/ap/drivers/${driver}`);
    const { folder, id } = this.#device;
    this.#links = [drivers.link(id, folder), folder.link("driver", drivers)];
  }

  remove(): void {
    this.bind(undefined);
    this.#device.remove();
  }

  protected get folder(): BusDevice["folder"] {
    return this.#device.folder;
  }
}

/** A queue: `/sys/bus/ap/devices/05.0004`. While vfio_ap has it, it has a file `status`. */
export class ApQueue extends ApDevice {
  readonly adapter: number;
  readonly domain: number;
  readonly #status: () => string;

  constructor(kernel: Kernel, adapter: number, domain: number, status: (queue: ApQueue) => string) {
    super(kernel, `${cardName(adapter)}/${queueName(adapter, domain)}`);
    this.adapter = adapter;
    this.domain = domain;
    this.#status = () => `${status(this)}\n`;
  }

  override bind(driver: string | undefined): void {
    super.bind(driver);
    this.folder.get("status")?.remove();
    if (driver === "vfio_ap") addAttribute(this.folder, "status", { read: this.#status });
  }
}

/** `card05`. */
export function cardName(adapter: number): string {
  return `card${adapter.toString(16).padStart(2, "0")}`;
}
