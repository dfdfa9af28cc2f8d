import type { VgpuType } from "./vgpu-types.js";

const MIB = 2 ** 20;

/** Which vGPUs may share a GPU: those with as much framebuffer each, or any that fit. */
export type SharingMode = "homogeneous" | "heterogeneous";

/** What a GPU is, to those who share it. */
export interface FramebufferOptions {
  readonly bytes: number;
  readonly mode: SharingMode;
  readonly types: readonly VgpuType[];
}

interface Placed {
  readonly type: VgpuType;
  /** In MiB, from the beginning. */
  readonly offset: number;
}

/**
 * The framebuffer of a GPU that many functions share. A vGPU lies at a multiple of its own size, at the first that is
 * free: so what is left over may be enough and yet in pieces (a simple view of `kernel_vgpu_mgr.c`).
 */
export class Framebuffer {
  readonly #size: number;
  readonly #mode: SharingMode;
  readonly #slot: number;
  /** Which function has a vGPU of which type now. */
  readonly #holders: () => ReadonlyMap<string, VgpuType>;
  readonly #placed = new Map<string, Placed>();

  constructor({ bytes, mode, types }: FramebufferOptions, holders: () => ReadonlyMap<string, VgpuType>) {
    this.#size = Math.floor(bytes / MIB);
    this.#mode = mode;
    this.#slot = types.map(({ framebuffer }) => framebuffer).reduce(greatestCommonDivisor, 0);
    this.#holders = holders;
  }

  /** Why no vGPU of this type can be created now; `undefined`: one can. */
  refusal(type: VgpuType): "other-size" | "full" | undefined {
    this.#settle();
    const placed = [...this.#placed.values()];
    if (this.#mode === "homogeneous") {
      if (placed.some((other) => other.type.framebuffer !== type.framebuffer)) return "other-size";
      if (placed.length >= type.maxInstance) return "full";
    }
    return this.#firstFree(type) === undefined ? "full" : undefined;
  }

  /** Where the vGPU of a function is, in slots: all sizes are multiples of a slot. */
  placementOf(address: string): number {
    this.#settle();
    return (this.#placed.get(address)?.offset ?? 0) / this.#slot;
  }

  /** Moves the vGPU of a function, where that place is free for it. */
  move(address: string, placement: number): boolean {
    this.#settle();
    const placed = this.#placed.get(address);
    if (!placed) return false;
    this.#placed.delete(address);
    const offset = placement * this.#slot;
    const moved = offset >= 0 && offset % placed.type.framebuffer === 0 && this.#isFree(placed.type, offset);
    this.#placed.set(address, moved ? { type: placed.type, offset } : placed);
    return moved;
  }

  /** Follows what happened since: every vGPU that came found the first place that was free. */
  #settle(): void {
    const holders = this.#holders();
    for (const address of this.#placed.keys()) if (!holders.has(address)) this.#placed.delete(address);
    for (const [address, type] of holders) {
      const offset = this.#placed.has(address) ? undefined : this.#firstFree(type);
      if (offset !== undefined) this.#placed.set(address, { type, offset });
    }
  }

  #firstFree(type: VgpuType): number | undefined {
    for (let offset = 0; offset < this.#size; offset += type.framebuffer) {
      if (this.#isFree(type, offset)) return offset;
    }
    return undefined;
  }

  #isFree({ framebuffer }: VgpuType, offset: number): boolean {
    const end = offset + framebuffer;
    const overlaps = (other: Placed): boolean =>
      other.offset < end && offset < other.offset + other.type.framebuffer;
    return end <= this.#size && ![...this.#placed.values()].some(overlaps);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
