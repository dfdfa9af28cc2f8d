import { type DeviceApi, InvalidArgumentError, Result, type TypeSnapshot } from "../../index.js";
import { displayFactsOf, type DisplayNeeds, meets } from "../../extensions/display/index.js";
import {
  type MigAttribute,
  parseVgpuTypeName,
  sameVgpuName,
  type VgpuSeries,
} from "../../extensions/nvidia/index.js";

/** Which type is meant: the one that all that is given holds for. What a type does not tell never fits. */
export interface TypeSelector {
  /** Its id: `nvidia-222`, `i915-GVTg_V5_4`. Ids of NVIDIA's types change with the driver. */
  readonly id?: string | undefined;
  /** Its name for people, as its file has it, or in a spelling that {@link sameVgpuName} takes for the same: `T4-1Q`. */
  readonly name?: string | undefined;
  /** What its name tells by NVIDIA's grammar ({@link parseVgpuTypeName}). */
  readonly vgpu?: VgpuSelector | undefined;
  /** What its displays must have at least, by what its name and description say (`displayFactsOf` of `vfio-mdev/display`). */
  readonly display?: DisplayNeeds | undefined;
  /** What its devices are to a virtual machine: `vfio-pci`. */
  readonly deviceApi?: DeviceApi | undefined;
  /** Of several, the one with the least framebuffer, or with the most. */
  readonly prefer?: "smallest" | "largest" | undefined;
}

/** Parts of the name of a vGPU type: `GRID A100-1-5CME`. */
export interface VgpuSelector {
  /** The board: `A100`. Capitals make no difference. */
  readonly product?: string | undefined;
  /** The letter of the series: `C`. */
  readonly series?: VgpuSeries | undefined;
  /** The framebuffer in GB as the name has it, where 0 stands for half a GB: `5`. */
  readonly gigabytes?: number | undefined;
  /** The slice of a divided GPU: `{ slices: 1, attribute: "ME" }`; `false`: of none. */
  readonly mig?:
    | {
        /** How many compute slices it has. */
        readonly slices?: number;
        /** What its name ends in. */
        readonly attribute?: MigAttribute | undefined;
      }
    | false
    | undefined;
}

/** What a type says of itself, as a snapshot has it. */
export type TypeWords = Pick<TypeSnapshot, "id" | "name" | "description" | "deviceApi">;

/** A selector that means several types of one parent: an `invalid-argument`. */
export class AmbiguousTypeError extends InvalidArgumentError {
  /** The types that it means. */
  readonly candidates: readonly TypeWords[];

  /** Made of what was tried, and of the types that the selector means. */
  constructor(tried: string, candidates: readonly TypeWords[]) {
    const labels = candidates.map(labelOf).join(", ");
    super({
      tried,
      reason: `${candidates.length} types are meant: ${labels}`,
      hint: "Say more, or give its id.",
    });
    this.candidates = Object.freeze(candidates);
  }
}

/**
 * The one of some types of a parent that a selector means: a pure function. `undefined` where it means none; where it means
 * several, none is taken: {@link AmbiguousTypeError}.
 *
 * @example
 * ```ts
 * import { selectType } from "vfio-mdev/planning";
 *
 * const types = [
 *   { id: "nvidia-46", name: "GRID P40-1Q", description: undefined, deviceApi: "vfio-pci" },
 *   { id: "nvidia-62", name: "GRID P40-1B", description: undefined, deviceApi: "vfio-pci" },
 *   { id: "nvidia-47", name: "GRID P40-2Q", description: undefined, deviceApi: "vfio-pci" },
 * ];
 * console.log(selectType({ name: "p40-1q" }, types).getOrThrow()?.id); // prints: nvidia-46
 * const needs = { display: { framebufferBytes: 1.5 * 2 ** 30 } };
 * console.log(selectType(needs, types).getOrThrow()?.id); // prints: nvidia-47
 * const several = selectType({ vgpu: { product: "P40", gigabytes: 1 } }, types);
 * console.log(!several.ok && several.error.candidates.map(({ id }) => id)); // prints: [ 'nvidia-46', 'nvidia-62' ]
 * ```
 */
export function selectType(
  selector: TypeSelector,
  types: readonly TypeWords[],
): Result<TypeWords | undefined, AmbiguousTypeError> {
  const fitting = selectedBy(selector, types);
  const [type, ...others] = preferred(selector, fitting);
  if (others.length === 0) return Result.ok(type);
  return Result.error(
    new AmbiguousTypeError(`select the type ${describeType(selector)}`, preferred(selector, fitting)),
  );
}

/** Whether a type can be the one that a selector means; which of several it prefers is not asked. */
function meansType(selector: TypeSelector, type: TypeWords): boolean {
  const { id, name, vgpu, display, deviceApi } = selector;
  if (id !== undefined && type.id !== id) return false;
  if (name !== undefined && (type.name === undefined || !sameVgpuName(type.name, name))) return false;
  if (deviceApi !== undefined && type.deviceApi !== deviceApi) return false;
  if (vgpu !== undefined && !meansName(vgpu, type.name)) return false;
  if (display === undefined) return true;
  const facts = displayFactsOf(type);
  return facts.ok && meets(facts.value, display);
}

/** A selector in words: `name "T4-1Q"`. */
function describeType({ id, name, vgpu, display, deviceApi, prefer }: TypeSelector): string {
  const parts = [
    ...(id === undefined ? [] : [id]),
    ...(name === undefined ? [] : [JSON.stringify(name)]),
    ...[vgpu, display].flatMap((part) => (part === undefined ? [] : [JSON.stringify(part)])),
    ...[deviceApi, prefer].filter((part) => part !== undefined),
  ];
  return parts.join(" ");
}

function selectedBy(selector: TypeSelector, types: readonly TypeWords[]): readonly TypeWords[] {
  const fitting = types.filter((type) => meansType(selector, type));
  // The exact spelling goes before others.
  const exact = fitting.filter(({ name }) => name !== undefined && name === selector.name);
  return exact.length > 0 ? exact : fitting;
}

function preferred({ prefer }: TypeSelector, types: readonly TypeWords[]): readonly TypeWords[] {
  if (prefer === undefined || types.length < 2) return types;
  const sizes = types.map(framebufferOf);
  const known = sizes.filter((size) => size !== undefined);
  const best = prefer === "smallest" ? Math.min(...known) : Math.max(...known);
  return known.length < types.length ? types : types.filter((_, at) => sizes[at] === best);
}

/** The framebuffer that a type has by its own words, in bytes. */
function framebufferOf(type: TypeWords): number | undefined {
  return displayFactsOf(type).fold(
    (facts) => facts.framebufferBytes,
    () => undefined,
  );
}

function meansName({ product, series, gigabytes, mig }: VgpuSelector, text: string | undefined): boolean {
  const parsed = text === undefined ? undefined : parseVgpuTypeName(text);
  if (parsed?.ok !== true) return false;
  const name = parsed.value;
  if (product !== undefined && name.product.toLowerCase() !== product.toLowerCase()) return false;
  if (series !== undefined && name.series !== series) return false;
  if (gigabytes !== undefined && name.gigabytes !== gigabytes) return false;
  if (mig === undefined) return true;
  if (mig === false || name.mig === undefined) return mig === false && name.mig === undefined;
  const { slices, attribute } = mig;
  if (slices !== undefined && name.mig.slices !== slices) return false;
  return !("attribute" in mig) || name.mig.attribute === attribute;
}

function labelOf({ id, name }: TypeWords): string {
  return name === undefined ? id : `${id} (${name})`;
}
