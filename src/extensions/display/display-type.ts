import {
  type AsyncResult,
  type AttributeDescriptor,
  type AttributeReadError,
  DecodeError,
  type MdevType,
  MdevTypeExtension,
  type OperationOptions,
  Result,
  sharedLimits,
} from "../../index.js";
import { type DisplayFacts, isKnown, merge, type PartialFacts } from "./facts.js";
import { fbLength, heads, maxInstances, resolutionFile } from "./files.js";
import { displayFactsOf } from "./text.js";

/**
 * A type whose devices have a display, whatever its vendor: the one set of attributes for a class of devices that the
 * proposal of September 2016 had in mind. The facts are found in the type's folder on its own
 * (`mdev_supported_types/<type>/{fb_length,resolution,heads,max_instances}` of that proposal), in its `description`
 * (NVIDIA, GVT-g, mdpy, mbochs), or without one in its `name` (NVIDIA).
 * Sources: for each of these texts, those of the codec that reads it: `vgpuDescription` and `parseVgpuTypeName` of
 * `vfio-mdev/nvidia`, `gvtDescription` of `vfio-mdev/intel`, `resolution` and `videoMemory` of `vfio-mdev/samples`. The
 * proposal names its files, and no formats: those are our reading.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { DisplayType, meets } from "vfio-mdev/display";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaGpu({ address: "0000:3b:00.0" });
 * simulated.addMdpy();
 * for (const parent of await new MdevHost({ fs: simulated.fs }).parents().getOrThrow()) {
 *   for (const type of await parent.types().getOrThrow()) {
 *     const display = await type.as(DisplayType).getOrThrow();
 *     const facts = await display.read().getOrThrow();
 *     if (meets(facts, { heads: 4, framebufferBytes: 3 * 2 ** 30 })) console.log(type.id); // prints: nvidia-48
 *   }
 * }
 * ```
 */
export class DisplayType extends MdevTypeExtension {
  /** Whether anything of its displays is known; a text in a known form that is malformed counts as known. */
  static fits(type: MdevType): AsyncResult<boolean, AttributeReadError> {
    const known = new DisplayType(type).read().map(isKnown);
    // A description that is in a known form and malformed: of a display all the same.
    return known.recover((error) => (error.type === "decode" ? true : Result.error(error)));
  }

  /**
   * All that is known of its displays, each fact from the first source that has it: the files of the class-based layout, the
   * description, the name where there is no description. A malformed number in one of them is `decode`, and its error has
   * the text; the other errors are those of reading the files.
   */
  read(options?: OperationOptions): AsyncResult<DisplayFacts, AttributeReadError> {
    const within = sharedLimits(options);
    return Result.gen(this, async function* () {
      const files = yield* this.#readFiles(within);
      const description = yield* this.type.description.readRaw(within());
      const name = description === undefined ? yield* this.type.name.read(within()) : undefined;
      const said = displayFactsOf({ id: this.type.id, name, description });
      if (said.ok) return Result.ok(merge([files, said.value]));
      return Result.error(this.#notUnderstood(description ?? "", said.error));
    });
  }

  #readFiles(within: () => OperationOptions | undefined): AsyncResult<PartialFacts, AttributeReadError> {
    return Result.gen(this, async function* () {
      const file = <T>(
        descriptor: AttributeDescriptor<T, "ro">,
      ): AsyncResult<T | undefined, AttributeReadError> => this.attribute(descriptor).read(within());
      return Result.ok({
        framebufferBytes: yield* file(fbLength),
        maxResolution: yield* file(resolutionFile),
        heads: yield* file(heads),
        maxInstances: yield* file(maxInstances),
      });
    });
  }

  #notUnderstood(raw: string, reason: string): DecodeError {
    const tried = `read the display facts of ${this.type.id} on ${this.type.parent.id}`;
    const shown = JSON.stringify(raw.length > 80 ? `${raw.slice(0, 80)}…` : raw);
    const { path } = this.type.description;
    return new DecodeError({ tried, reason: `its description ${shown} ${reason}`, path, raw });
  }
}
