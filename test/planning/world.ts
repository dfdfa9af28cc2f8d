import { type DeviceSnapshot, MdevHost } from "../../src/index.js";
import type {
  ParentSelector,
  Placement,
  TypeSelector,
  WantedDevice,
  WantedState,
} from "../../src/planning/index.js";
import {
  MemoryStore,
  SimulatedHost,
  type SimulatedParent,
  type SimulatedSriovGpu,
  type VgpuType,
} from "../../src/testing/index.js";

type Next = () => number;

/** One of a list, in which something may be left out. */
function pick<T>(list: readonly T[], next: Next): T {
  return list[Math.floor(next() * list.length)] as T;
}

/** A GPU of the simulation or a parent of another kind: where others can make devices too. */
interface Hardware {
  readonly types: readonly string[];
  readonly selectors: readonly TypeSelector[];
  /** Makes somebody else's device; gives its id. Throws where there is no room. */
  create(type: string, next: Next): string;
  remove(id: string): void;
  /** What the kernel has: ids and types. */
  ids(): readonly string[];
}

const MIB = 2 ** 20;

function vgpu(number: number, name: string, framebuffer: number, maxInstance: number): VgpuType {
  return {
    id: `nvidia-${number}`,
    name,
    heads: 1,
    frameRate: 60,
    framebuffer,
    resolution: "1920x1080",
    maxInstance,
  };
}

const P40 = [
  vgpu(46, "GRID P40-1Q", 1024, 4),
  vgpu(62, "GRID P40-1B", 1024, 4),
  vgpu(47, "GRID P40-2Q", 2048, 2),
];
const L40S = [
  vgpu(1147, "NVIDIA L40S-1Q", 1024, 4),
  vgpu(1148, "NVIDIA L40S-2Q", 2048, 2),
  vgpu(1150, "NVIDIA L40S-4Q", 4096, 1),
];

const TYPES: readonly TypeSelector[] = [
  { id: "mtty-1" },
  { id: "mtty-2" },
  { id: "mdpy-hd" },
  { id: "mbochs-small" },
  { id: "mbochs-large" },
  { name: "P40-1Q" },
  { name: "grid_p40-2q" },
  { vgpu: { product: "P40", gigabytes: 1, series: "B" } },
  { name: "L40S-1Q" },
  { name: "L40S-2Q" },
  { vgpu: { gigabytes: 4, series: "Q" } },
  { display: { framebufferBytes: 2048 * MIB }, prefer: "smallest" },
  { id: "no-such" },
  { id: "small" },
];
const PARENTS: readonly (ParentSelector | readonly ParentSelector[] | undefined)[] = [
  undefined,
  undefined,
  undefined,
  { vendor: 0x10de },
  { card: ["0000:41:00.0", "0000:61:00.0"] },
  { id: ["mtty", "mdpy", "0000:3b:00.0"] },
  { numaNode: 1 },
  [{ card: "0000:61:00.0" }, { id: "0000:3c:00.0" }],
  { where: ({ id }) => !id.endsWith("5") },
];
const PLACEMENTS: readonly (Placement | undefined)[] = [
  undefined,
  { strategy: "compact" },
  { strategy: "separate", numaNode: 1 },
  { strategy: "grouped" },
  { score: ({ devices, parent }) => devices * 2 - parent.id.length },
];

/** A random host with devices of others, an owner's ledger, and those who interfere. */
export class World {
  readonly simulated: SimulatedHost = new SimulatedHost();
  readonly store: MemoryStore = new MemoryStore();
  /** What others have made and not removed: ids and types. */
  readonly foreign = new Map<string, string>();
  readonly #hardware: Hardware[] = [];
  readonly #next: Next;
  /** Functions that the library has written to: others who take them with the same type cannot be told from it. */
  readonly #written = new Set<string>();

  constructor(next: Next) {
    this.#next = next;
    const kinds = [0, 1, 2, 3, 4, 5, 6, 7].filter((each) => next() < (each === 0 ? 0.1 : 0.3));
    for (const kind of kinds.length === 0 ? [1] : kinds.slice(0, 2)) this.#add(kind);
    this.simulated.onOperation(({ operation, path }) => {
      if (operation !== "writeFile" && operation !== "writeDetached") return;
      const function_ = /([^/]+)\/nvidia\/current_vgpu_type$/.exec(path)?.[1];
      if (function_ !== undefined) this.#written.add(function_);
    });
    for (let rivals = Math.floor(next() * 4); rivals > 0; rivals--) this.createForeign();
  }

  host(): MdevHost {
    return new MdevHost({ fs: this.simulated.fs, state: this.store });
  }

  /** Another program creates a device, if there is room. */
  createForeign(): void {
    const hardware = pick(this.#hardware, this.#next);
    const type = pick(hardware.types, this.#next);
    try {
      this.foreign.set(hardware.create(type, this.#next), type);
    } catch {
      // there was none
    }
  }

  /** Another program removes one of its own devices. */
  removeForeign(): void {
    const id = pick([...this.foreign.keys(), ""], this.#next);
    for (const hardware of this.#hardware) {
      if (!hardware.ids().includes(id)) continue;
      hardware.remove(id);
      this.foreign.delete(id);
    }
  }

  /** Another program removes whatever it comes upon, but for what is others'. */
  removeAny(): void {
    const hardware = pick(this.#hardware, this.#next);
    const id = pick([...hardware.ids().filter((each) => !this.foreign.has(each)), ""], this.#next);
    try {
      if (id !== "") hardware.remove(id);
    } catch {
      // it is half made
    }
  }

  /** Which of others' devices are not as they were. */
  async lost(): Promise<readonly string[]> {
    const { devices } = await this.host().snapshot().getOrThrow();
    const types = new Map(devices.map((device: DeviceSnapshot) => [device.id, device.type]));
    return [...this.foreign]
      .filter(([id, type]) => !types.has(id) || (types.get(id) ?? type) !== type)
      .map(([id]) => id);
  }

  wanted(): WantedState {
    const next = this.#next;
    const devices: WantedDevice[] = [];
    for (let number = Math.floor(next() * 4); number > 0; number--) {
      const type = pick(next() < 0.1 ? TYPES : pick(this.#hardware, next).selectors, next);
      const count = pick([undefined, undefined, undefined, 1, 2, 3, 5, "all" as const], next);
      const isNvidia = type.id === undefined && type.display === undefined;
      devices.push({
        name: `d${Math.floor(next() * 2)}-${number}`,
        type,
        parent: pick(PARENTS, next),
        count,
        per: next() < 0.15 ? "card" : undefined,
        attributes:
          isNvidia && next() < 0.3 && !this.#hasFunctions
            ? [["nvidia/vgpu_params", `a=${number}\n`]]
            : undefined,
        placement: pick([undefined, undefined, ...PLACEMENTS], next),
      });
    }
    const cards = pick([undefined, "auto", "mixed", "mixed", "one-type", "one-size"] as const, next);
    const unproven = pick([undefined, "leave", "take"] as const, next);
    return { owner: "me", devices, placement: pick(PLACEMENTS, next), cards, unproven };
  }

  get #hasFunctions(): boolean {
    return this.#hardware.some(({ ids }) => ids.name === "functions");
  }

  #add(kind: number): void {
    const { simulated } = this;
    const next = this.#next;
    const numaNode = pick([-1, 0, 1], next);
    switch (kind) {
      case 0:
        this.#hardware.push(ofParent(simulated.addMtty(), ["mtty-1", "mtty-2"]));
        return;
      case 1:
        this.#hardware.push(
          ofParent(simulated.addMdpy({ count: pick([1, 2, 4], next) }), ["mdpy-hd", "mdpy-vga"]),
        );
        return;
      case 2:
        this.#hardware.push(ofParent(simulated.addMbochs(), ["mbochs-small", "mbochs-large"]));
        return;
      case 3:
      case 4: {
        const address = kind === 3 ? "0000:3b:00.0" : "0000:3c:00.0";
        const shares = pick(["type", "framebuffer"] as const, next);
        const gpu = simulated.addNvidiaGpu({ address, types: P40, shares, numaNode });
        this.#hardware.push(
          ofParent(
            gpu,
            P40.map(({ id }) => id),
          ),
        );
        return;
      }
      case 7: {
        const general = simulated.addGeneral({ types: [{ id: "small" }], capacity: 3 });
        this.#hardware.push(ofParent(general, ["small"]));
        return;
      }
      default: {
        const address = kind === 5 ? "0000:41:00.0" : "0000:61:00.0";
        const mode = pick(["homogeneous", "heterogeneous"] as const, next);
        const driver = pick(["open", "closed"] as const, next);
        const listWhileSet = pick(["header", "empty"] as const, next);
        const kindOf = kind === 5 ? "vfio" : "mdev";
        const gpu = simulated.addNvidiaSriovGpu({
          address,
          interface: kindOf,
          functions: pick([2, 3, 4], next),
          types: L40S,
          mode,
          driver,
          listWhileSet,
          framebufferBytes: 4096 * MIB,
          numaNode,
        });
        this.#hardware.push(this.#ofGpu(gpu, kindOf));
      }
    }
  }

  #ofGpu(gpu: SimulatedSriovGpu, kind: "vfio" | "mdev"): Hardware {
    const made = new Map<string, string>();
    const typeOf = (address: string): string | undefined => gpu.typeOf(address);
    return {
      types: L40S.map(({ id }) => id),
      selectors: TYPES.slice(8, 12),
      create: (type, next) => {
        const address = pick(gpu.functions, next);
        if (typeOf(address) !== undefined || (kind === "vfio" && this.#written.has(address)))
          throw new Error("it is taken");
        const id = gpu.create(address, type);
        made.set(id, address);
        return id;
      },
      remove: (id) => {
        gpu.remove(made.get(id) ?? id);
        made.delete(id);
      },
      ids:
        kind === "vfio"
          ? function functions() {
              return gpu.functions.filter((address) => typeOf(address) !== undefined);
            }
          : () => [...made].filter(([, address]) => typeOf(address) !== undefined).map(([id]) => id),
    };
  }
}

function ofParent(
  parent: Pick<SimulatedParent, "devices" | "create" | "remove">,
  types: readonly string[],
): Hardware {
  const named = TYPES.filter(({ id }) => types.includes(id ?? ""));
  const selectors = named.length === 0 ? TYPES.slice(5, 8) : named;
  return {
    types,
    selectors,
    create: (type) => parent.create(type),
    remove: (id) => {
      parent.remove(id);
    },
    ids: () => parent.devices,
  };
}
