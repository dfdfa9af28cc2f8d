import { Result } from "../../index.js";

const GIB = 2 ** 30;

/**
 * What a vGPU is licensed for: `A` virtual applications, `B` virtual desktops, `C` compute, `Q` workstations
 * (NVIDIA, Virtual GPU Software User Guide).
 */
export type VgpuSeries = "A" | "B" | "C" | "Q";

/**
 * Which engines the MIG slice behind a vGPU has: `ME` with media engines, `MEALL` with all of them, `NOME` without
 * any, `GFX` with graphics. NVIDIA's GPU instance profiles are called alike: `1g.5gb+me`.
 */
export type MigAttribute = "ME" | "NOME" | "MEALL" | "GFX";

/** The MIG slice behind a vGPU. */
export interface MigSlice {
  /** How many of the GPU's slices it has, from 1 to 9: the `1` of `A100-1-5C`. */
  readonly slices: number;
  /** The suffix of the name; `undefined` where it has none. */
  readonly attribute: MigAttribute | undefined;
}

/** What the name of a vGPU type tells, by {@link parseVgpuTypeName}: plain, frozen data. */
export interface VgpuTypeName {
  /** The first word; `undefined` where it is left out, as NVIDIA's other tools do. The file `name` has it. */
  readonly brand: "GRID" | "NVIDIA" | undefined;
  /** The board, as the name has it: `M60`, `V100D`, `RTX6000-Ada`, `RTX Pro 6000 Blackwell DC`. */
  readonly product: string;
  /** The slice of the GPU that it is backed by; `undefined` where the GPU is shared by time. */
  readonly mig: MigSlice | undefined;
  /** The framebuffer in GB as the name has it, where `0` stands for half a GB. For people, and to compare names. */
  readonly gigabytes: number;
  /**
   * The framebuffer in bytes. The GB of a name are GiB, and `0` is 512 MiB; `undefined` for the 94 GB boards H100L,
   * H100XL and H800L, whose names round: of 96246 MiB `94`, of 24672 MiB `24`.
   */
  readonly framebufferBytes: number | undefined;
  /** The letter of its series. */
  readonly series: VgpuSeries;
  /**
   * The `4` at the end of `P40-2B4`. Drivers of 2019 gave such a type another number of heads than `P40-2B`; later
   * ones (510) give both the same, so that the name says nothing of heads.
   */
  readonly variant: "4" | undefined;
}

const BOARD = "(?:(?<brand>GRID|NVIDIA) )?(?<product>[A-Za-z0-9]+(?: [A-Za-z0-9]+|-[A-Za-z]+)*)";
const SIZE = "(?<size>0|[1-9][0-9]{0,3})(?<series>[ABCQ])";
const TIME_SLICED = new RegExp(`^${BOARD}-${SIZE}(?<variant>(?<=B)4)?$`);
const MIG_BACKED = new RegExp(`^${BOARD}-(?<slices>[1-9])-${SIZE}(?<attribute>ME|NOME|MEALL|GFX)?$`);
const ROUNDED: ReadonlySet<string> = new Set(["H100L", "H100XL", "H800L"]);

/**
 * Understands the name of a vGPU type, as in the file `name` or in NVIDIA's `creatable_vgpu_types`: `GRID M60-0B`,
 * `NVIDIA A16-16C`, `NVIDIA RTX6000-Ada-4Q`, or with MIG `GRID A100-1-5CME`. Otherwise why not, as a clause.
 *
 * Names say more than type numbers, which have changed their meaning from driver to driver. Names outside of the four
 * series, such as those for cloud gaming, are not understood.
 * Sources: NVIDIA/vgpu-device-manager, `pkg/types/vgpu_type.go`, for the grammar; NVIDIA, "Virtual GPU Software User
 * Guide" and "NVIDIA AI Enterprise and NVIDIA vGPU (C-Series)", for the sizes.
 *
 * @example
 * ```ts
 * import { parseVgpuTypeName } from "vfio-mdev/nvidia";
 *
 * const name = parseVgpuTypeName("GRID A100-1-5CME").getOrThrow();
 * console.log(name.product, name.series, name.mig?.slices); // prints: A100 C 1
 * ```
 */
export function parseVgpuTypeName(text: string): Result<VgpuTypeName, string> {
  const name = text.trim();
  const parts = (MIG_BACKED.exec(name) ?? TIME_SLICED.exec(name))?.groups;
  if (parts === undefined) return Result.error("is no name of a vGPU type such as GRID P40-2B");
  const { brand, product = "", slices, size, series, attribute, variant } = parts;
  const gigabytes = Number(size);
  const found = {
    brand,
    product,
    mig: slices === undefined ? undefined : Object.freeze({ slices: Number(slices), attribute }),
    gigabytes,
    framebufferBytes: ROUNDED.has(product) ? undefined : (gigabytes === 0 ? 0.5 : gigabytes) * GIB,
    series,
    variant,
  };
  return Result.ok(Object.freeze(found) as VgpuTypeName); // the patterns hold exactly the words of the type
}
