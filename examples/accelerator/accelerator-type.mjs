// @ts-check
/**
 * A class of devices that are no displays: accelerators, with cores and memory. The facts come from wherever a driver
 * tells them, each from the first source that has it; what no source tells is `undefined`.
 */
import { integer, MdevTypeExtension, readOnly, Result } from "vfio-mdev";
import { ascendSplit, AscendType } from "./ascend.mjs";

/** @typedef {{ readonly cores: number | undefined, readonly memoryBytes: number | undefined }} AcceleratorFacts */

export class AcceleratorType extends MdevTypeExtension {
  static cores = readOnly("cores", integer);
  static memoryBytes = readOnly("memory_bytes", integer);

  /** Whether anything is known of cores or memory. */
  static fits(/** @type {import("vfio-mdev").MdevType} */ type) {
    return new AcceleratorType(type)
      .read()
      .map((facts) => facts.cores !== undefined || facts.memoryBytes !== undefined);
  }

  /** @returns {import("vfio-mdev").AsyncResult<AcceleratorFacts, import("vfio-mdev").AttributeReadError>} */
  read() {
    return Result.gen(this, async function* () {
      const files = {
        cores: yield* this.attribute(AcceleratorType.cores).read(),
        memoryBytes: yield* this.attribute(AcceleratorType.memoryBytes).read(),
      };
      const name = yield* this.type.name.read();
      const said = AscendType.fits(this.type) ? yield* this.#fromDescription() : undefined;
      const sources = [files, said, AscendType.fits(this.type) ? fromTemplate(name ?? "") : undefined];
      const first = (/** @type {keyof AcceleratorFacts} */ fact) =>
        sources.map((source) => source?.[fact]).find((value) => value !== undefined);
      return Result.ok(Object.freeze({ cores: first("cores"), memoryBytes: first("memoryBytes") }));
    });
  }

  /** A description that cannot be understood tells nothing: the name still can. */
  #fromDescription() {
    return this.type.description.readRaw().map((raw) => {
      const decoded = ascendSplit.decode(raw ?? "");
      return decoded.ok ? decoded.value : undefined;
    });
  }
}

/** The name of an Ascend template: `vir10_3c_16g` has 10 AI cores and 16 GB. */
function fromTemplate(/** @type {string} */ name) {
  const [, cores, gigabytes] = /^vir([0-9]{2})(?:_[0-9]+c)?(?:_([0-9]+)g)?/.exec(name) ?? [];
  return {
    cores: cores === undefined ? undefined : Number(cores),
    memoryBytes: gigabytes === undefined ? undefined : Number(gigabytes) * 2 ** 30,
  };
}
