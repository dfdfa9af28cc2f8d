import type { ChangeSource } from "../index.js";
import type { KernelRelease, SimulatedParent, SimulatedParentOptions } from "./definitions.js";
import { type MatrixOptions, MatrixParent, type SimulatedMatrix } from "./drivers/ap-matrix.js";
import { type SimulatedSubchannel, Subchannel, type SubchannelOptions } from "./drivers/ccw.js";
import {
  ClassBasedParent,
  type ClassBasedOptions,
  type SimulatedClassBasedParent,
} from "./drivers/class-based.js";
import { type DraftOptions, DraftParent, type SimulatedDraft } from "./drivers/draft.js";
import { GeneralParent, type GeneralOptions, type SimulatedGeneralParent } from "./drivers/general.js";
import { mbochs, type MbochsOptions } from "./drivers/mbochs.js";
import { mdpy, type MdpyOptions } from "./drivers/mdpy.js";
import { mtty } from "./drivers/mtty.js";
import { nvidiaGpu, type NvidiaGpuOptions } from "./drivers/nvidia-gpu.js";
import {
  NvidiaSriovGpu,
  type NvidiaSriovGpuOptions,
  type SimulatedSriovGpu,
} from "./drivers/nvidia-sriov-gpu.js";
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
import { type SimulatedFileSystem, simulatedFileSystem } from "./simulated-file-system.js";

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
 * recorded to answer, path by path and errno by errno (Linux 5.10 and 6.1). What was not recorded says so at its method.
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
  readonly fs: SimulatedFileSystem;
  readonly #kernel: Kernel;
  readonly #interference = new Interference();

  /** An empty host: Linux 6.1 where no `kernel` is given, at `/sys`, `/dev` and `/proc`. */
  constructor({ kernel = "6.1", sysfs = "/sys", dev = "/dev", proc = "/proc" }: SimulatedHostOptions = {}) {
    this.kernel = kernel;
    this.#kernel = new Kernel({ release: kernel, sysfs, dev, proc });
    this.fs = this.fsAs(0);
  }

  /**
   * A source for `host.watch`: tells of each object that comes or goes in its trees, as the kernel's events do; not of what a
   * file says.
   *
   * @example
   * ```ts
   * import { MdevHost } from "vfio-mdev";
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const mdpy = simulated.addMdpy();
   * const host = new MdevHost({ fs: simulated.fs });
   * for await (const event of host.watch({ source: simulated.changes })) {
   *   if (event.type === "snapshot") mdpy.create("mdpy-hd"); // another program does
   *   if (event.type === "device-added") console.log(event.device.type); // prints: mdpy-hd
   *   if (event.type === "device-ready") break;
   * }
   * ```
   */
  get changes(): ChangeSource {
    return this.#kernel.changes;
  }

  /** All calls that were made of its file systems, the oldest first. */
  get operations(): readonly Operation[] {
    return this.#interference.operations;
  }

  /** The file system that another user sees: root alone may write what is mode 0200. */
  fsAs(uid: number): SimulatedFileSystem {
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

  /**
   * Adds an I/O subchannel of s390x that vfio_ccw has: `/sys/class/mdev_bus/0.0.0313` with the type `vfio_ccw-io`, room for
   * one device. Writing its id to `/sys/bus/css/drivers/{vfio_ccw,io_subchannel}/{bind,unbind}` takes and gives it. What it
   * shows was recorded from Linux 7.2; QDIO, and the EPERM of 5.10 where nothing is left, are from the driver's source.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const subchannel = simulated.addSubchannel({ id: "0.0.0313", device: "0.0.1111" });
   * console.log(subchannel.path, subchannel.driver); // prints: /sys/devices/css0/0.0.0313 vfio_ccw
   * ```
   */
  addSubchannel(options: SubchannelOptions): SimulatedSubchannel {
    return new Subchannel(this.#kernel, options);
  }

  /**
   * Adds the AP bus with crypto adapters of IBM Z and the driver that gives them to virtual machines:
   * `/sys/class/mdev_bus/matrix` with `vfio_ap-passthrough`, `/sys/bus/ap`. As in Linux 6.12, from the kernel's document and
   * source, not recorded: QEMU emulates no such adapters. A machine has one, and not a simulated 5.10.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const matrix = simulated.addMatrix({ adapters: [5], domains: [4, 0xab], freed: { adapters: [5] } });
   * const uuid = matrix.create("vfio_ap-passthrough");
   * matrix.assign(uuid, { adapters: [5], domains: [0xab] });
   * const status = await simulated.fs.readFile("/sys/bus/ap/devices/05.00ab/status", "utf8");
   * console.log(status.trim()); // prints: assigned
   * ```
   */
  addMatrix(options: MatrixOptions = {}): SimulatedMatrix {
    return new MatrixParent(this.#kernel, options);
  }

  /** Adds an NVIDIA GPU without SR-IOV, its driver loaded: `/sys/class/mdev_bus/0000:3b:00.0`. Not recorded: from public sources. */
  addNvidiaGpu(options: NvidiaGpuOptions): SimulatedParent {
    return this.addParent(nvidiaGpu(options));
  }

  /**
   * Adds an NVIDIA GPU with SR-IOV, its driver loaded and its virtual functions enabled. By default they have the driver's
   * own files, as on Linux 6.8 and later: `/sys/bus/pci/devices/0000:3b:00.4/nvidia/current_vgpu_type`. Not recorded:
   * from public sources. {@link SimulatedHost.open} takes the address of a virtual function.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const gpu = simulated.addNvidiaSriovGpu({ address: "0000:3b:00.0", framebufferBytes: 2 * 2 ** 30 });
   * const [first = "", second = ""] = gpu.functions;
   * gpu.create(first, "nvidia-1147"); // somebody else's, 1 GiB
   * const list = `/sys/bus/pci/devices/${second}/nvidia/creatable_vgpu_types`;
   * console.log((await simulated.fs.readFile(list, "utf8")).trim());
   * // prints: ID    : vGPU Name
   * // prints: 1145  : NVIDIA L40S-1B
   * // prints: 1147  : NVIDIA L40S-1Q
   * ```
   */
  addNvidiaSriovGpu(options: NvidiaSriovGpuOptions): SimulatedSriovGpu {
    return new NvidiaSriovGpu(this.#kernel, options);
  }

  /**
   * Adds a parent in the general layout that was proposed in September 2016: types with `requires_group`, devices with
   * `type`, `destroy`, `online`, `reset` and `group`. No kernel has it. Not recorded: from public sources, and where
   * those say nothing, our reading.
   *
   * A device that is online or open is not removed (EBUSY). One whose type requires a group does not go online without
   * (EINVAL). A stage `remove` of a creation is the file `destroy`, and `mdev_type` the link `type`.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const parent = simulated.addGeneral({ types: [{ id: "small" }], capacity: 8, weight: 100 });
   * const device = `/sys/bus/mdev/devices/${parent.create("small")}`;
   * await simulated.fs.writeFile(`${device}/online`, "1\n", { flag: 1 });
   * console.log((await simulated.fs.readFile(`${device}/weight`, "utf8")).trim()); // prints: 100
   * ```
   */
  addGeneral(options: GeneralOptions = {}): SimulatedGeneralParent {
    return new GeneralParent(this.#kernel, options);
  }

  /**
   * Adds a parent in the class-based layout that was proposed in September 2016: types with `fb_length`, `resolution`,
   * `heads` and `max_instances`, devices that do not tell their type, and `mdev_destroy` on the parent. No kernel has it.
   * Not recorded: from public sources, and where those say nothing, our reading.
   *
   * `mdev_destroy` of a UUID that the parent does not have is EINVAL, as in the code of August 2016; of a device that is
   * open, EBUSY.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const gpu = simulated.addClassBased(); // a Tesla M60
   * const uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
   * const create = `${gpu.path}/mdev_supported_types/11/create`;
   * await simulated.fs.writeFile(create, `${uuid},group=vm-7,frame_rate_limiter=0\n`, { flag: 1 });
   * console.log(gpu.creationOf(uuid).params); // prints: frame_rate_limiter=0
   * ```
   */
  addClassBased(options: ClassBasedOptions = {}): SimulatedClassBasedParent {
    return new ClassBasedParent(this.#kernel, options);
  }

  /**
   * Adds a parent with an interface before September 2016, where `mdev_supported_types` is a text file. It is there to
   * be recognised: what is written to its files does nothing (EIO). Not recorded: from public sources.
   *
   * @example
   * ```ts
   * import { SimulatedHost } from "vfio-mdev/testing";
   *
   * const simulated = new SimulatedHost();
   * const gpu = simulated.addDraft({ generation: "B" });
   * const types = await simulated.fs.lstat(`${gpu.path}/mdev_supported_types`);
   * console.log(types.isDirectory()); // prints: false
   * ```
   */
  addDraft(options: DraftOptions): SimulatedDraft {
    return new DraftParent(this.#kernel, options);
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
   * EBUSY, and a removal waits or is refused. The device is named by its UUID, or by the PCI address of its function
   * where it has none. Throws where the device cannot be opened.
   */
  open(id: string, options: OpenOptions = {}): Holder {
    const { bus, functions } = this.#kernel;
    const name = id.toLowerCase();
    const device = bus.devices.get(name) ?? functions.get(name);
    if (!device) throw new Error(`there is no device ${id}`);
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

  /** Changes the permission bits of a file, as root may: `0o660`. */
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
