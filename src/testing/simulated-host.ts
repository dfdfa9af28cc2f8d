import type { FileSystem } from "../index.js";
import type { KernelRelease, SimulatedParent, SimulatedParentOptions } from "./definitions.js";
import { mbochs, type MbochsOptions } from "./drivers/mbochs.js";
import { mdpy, type MdpyOptions } from "./drivers/mdpy.js";
import { mtty } from "./drivers/mtty.js";
import { nvidiaGpu, type NvidiaGpuOptions } from "./drivers/nvidia-gpu.js";
import {
  type Delay,
  type DelayOptions,
  type FailureOptions,
  Interference,
  type Operation,
} from "./interference.js";
import { Kernel } from "./kernel/kernel.js";
import type { KernfsNode } from "./kernel/kernfs.js";
import { MdevParent } from "./kernel/mdev-parent.js";
import { CREATE_STAGES, REMOVE_STAGES } from "./kernel/mdev-stages.js";
import type { CreateStage, Pause, PauseOptions, RemoveStage } from "./kernel/pauses.js";
import type { Holder, OpenOptions } from "./kernel/usage.js";
import { walk } from "./kernel/walk.js";
import { simulatedFileSystem } from "./simulated-file-system.js";

/** Options of {@link SimulatedHost}. */
export interface SimulatedHostOptions {
  /** The kernel to be; `6.1`, by default, answers as all later ones do. */
  readonly kernel?: KernelRelease;
  /** Where sysfs is mounted; `/sys` by default. */
  readonly sysfs?: string;
  /** Where devtmpfs is mounted; `/dev` by default. */
  readonly dev?: string;
  /** Where procfs is mounted; `/proc` by default. */
  readonly proc?: string;
}

/**
 * A machine whose kernel lives in memory: it has no hardware until some is added, and answers as a real kernel was
 * recorded to answer, path by path and errno by errno.
 *
 * Kernel 5.10 differs from 6.1 in this: `/sys/class/mdev_bus` comes with the first parent; the driver of all devices is
 * `vfio_mdev`; there is no `vfio-dev`; a create that finds nothing left gets ENOMEM, and from mtty no error at all; a
 * device becomes visible in another order; binding works, and `drivers_autoprobe` counts.
 *
 * @example
 * ```ts
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * const gpu = simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * const uuid = gpu.create("nvidia-156"); // somebody else's
 *
 * const vm = simulated.open(uuid, { vmName: "desktop-7" });
 * const name = await simulated.fs.readFile(`/sys/bus/mdev/devices/${uuid}/nvidia/vm_name`, "utf8");
 * console.log(name.trim()); // prints: desktop-7
 * vm.close();
 * await gpu.unplug();
 * console.log(await simulated.fs.readdir("/sys/class/mdev_bus")); // prints: []
 * ```
 */
export class SimulatedHost {
  /** The kernel it is. */
  readonly kernel: KernelRelease;
  /** The file system that root sees. */
  readonly fs: FileSystem;
  readonly #kernel: Kernel;
  readonly #interference = new Interference();

  constructor({ kernel = "6.1", sysfs = "/sys", dev = "/dev", proc = "/proc" }: SimulatedHostOptions = {}) {
    this.kernel = kernel;
    this.#kernel = new Kernel({ release: kernel, sysfs, dev, proc });
    this.fs = this.fsAs(0);
  }

  /** All calls that were made of its file systems, the oldest first. */
  get operations(): readonly Operation[] {
    return this.#interference.operations;
  }

  /** The file system that another user sees: root alone may write what is mode 0200. */
  fsAs(uid: number): FileSystem {
    return simulatedFileSystem(this.#kernel.root, this.#interference, uid);
  }

  /** Loads module `mdev` and nothing that would use it: `/sys/bus/mdev`, and on 6.1 an empty `/sys/class/mdev_bus`. */
  loadMdev(): void {
    this.#kernel.bus.load();
  }

  /** Adds the kernel's sample serial card: `/sys/class/mdev_bus/mtty` with `mtty-1` and `mtty-2`, 24 ports. */
  addMtty(): SimulatedParent {
    return this.addParent(mtty(this.kernel));
  }

  /** Adds the kernel's sample display: `/sys/class/mdev_bus/mdpy` with `mdpy-vga`, `mdpy-xga` and `mdpy-hd`. */
  addMdpy(options: MdpyOptions = {}): SimulatedParent {
    return this.addParent(mdpy(options));
  }

  /** Adds the kernel's sample of a Bochs display: `/sys/class/mdev_bus/mbochs`, three sizes that share video memory. */
  addMbochs(options: MbochsOptions = {}): SimulatedParent {
    return this.addParent(mbochs(this.kernel, options));
  }

  /** Adds an NVIDIA GPU without SR-IOV, its driver loaded: `/sys/class/mdev_bus/0000:3b:00.0`. Not recorded: from public sources. */
  addNvidiaGpu(options: NvidiaGpuOptions): SimulatedParent {
    return this.addParent(nvidiaGpu(options));
  }

  /**
   * Adds a parent of any driver. Those above are described with the same words.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * simulated.addParent({
   *   path: "devices/pci0000:80/0000:80:01.0",
   *   subsystem: "bus/pci",
   *   driver: "hct",
   *   deviceDriver: "hct_mdev",
   *   types: [{ id: "hct-1", name: "hct mdev type", description: "no newline" }],
   *   deviceAttributes: { "vendor/id": { read: ({ uuid }) => uuid.slice(-4) } },
   *   capacity: 1024,
   * });
   * const type = "/sys/class/mdev_bus/0000:80:01.0/mdev_supported_types/hct-1";
   * console.log(Number(await simulated.fs.readFile(`${type}/available_instances`, "utf8"))); // prints: 1024
   * ```
   */
  addParent(options: SimulatedParentOptions): SimulatedParent {
    return new MdevParent(this.#kernel, options);
  }

  /**
   * Lets a process open a device, as a virtual machine does: `/proc/<pid>/fd` shows it, `/dev/vfio/<group>` answers
   * EBUSY, and a removal waits. Throws where the device cannot be opened.
   */
  open(uuid: string, options: OpenOptions = {}): Holder {
    const device = this.#kernel.bus.devices.get(uuid.toLowerCase());
    if (!device) throw new Error(`there is no device ${uuid}`);
    return device.usage.open(options);
  }

  /** Lets a creation stop half-way: the next one, or that of one device. Others see what is there by then. */
  pauseCreate(options: PauseOptions<CreateStage>): Pause {
    if (!CREATE_STAGES[this.kernel].includes(options.before))
      throw new Error(`kernel ${this.kernel} has no stage ${options.before}`);
    return this.#kernel.pauses.add("create", options);
  }

  /** Lets a removal stop half-way: the next one, or that of one device. Others see what is left by then. */
  pauseRemove(options: PauseOptions<RemoveStage>): Pause {
    if (!REMOVE_STAGES[this.kernel].includes(options.before))
      throw new Error(`kernel ${this.kernel} has no stage ${options.before}`);
    return this.#kernel.pauses.add("remove", options);
  }

  /** Lets the next call fail that is made of a path, or so many. A call that fails so has no effect. */
  failNext(options: FailureOptions): void {
    this.#interference.fail(options);
  }

  /** Lets calls take longer. A write that is held up so has begun: no signal stops it any more. */
  delay(options: DelayOptions): Delay {
    return this.#interference.delay(options);
  }

  /**
   * Calls back at the beginning of every call, before it has any effect: to count, to change something at exactly this
   * step, or to throw, which the call then rejects with. Gives what ends it.
   */
  onOperation(listener: (operation: Operation) => void): () => void {
    return this.#interference.listen(listener);
  }

  /** Changes the permission bits of a file, as root may. */
  chmod(path: string, mode: number): void {
    this.#at(path).permissions = mode;
  }

  /** Gives a file to another user, as root may. */
  chown(path: string, uid: number): void {
    this.#at(path).owner = uid;
  }

  #at(path: string): KernfsNode {
    return walk(this.#kernel.root, path, { uid: 0, follow: true });
  }
}
