import { VfioApDevice } from "../../../src/extensions/s390/index.js";
import { MdevHost } from "../../../src/index.js";
import { type MatrixOptions, SimulatedHost } from "../../../src/testing/index.js";

export const TYPE = "vfio_ap-passthrough";
export const PARENT = "/sys/devices/vfio_ap/matrix";
/** The adapters of the kernel's document, out of the host's hands. */
export const FREED = { adapters: [5, 6] };

export const uuid = (n: number): string => `83b8f4f2-509f-382f-3c1e-${n.toString(16).padStart(12, "0")}`;

export interface ApMachine {
  readonly simulated: SimulatedHost;
  readonly hardware: ReturnType<SimulatedHost["addMatrix"]>;
  readonly host: MdevHost;
  /** Creates a device, and gives it typed. */
  readonly add: (
    id: string,
    has?: Parameters<ReturnType<SimulatedHost["addMatrix"]>["assign"]>[1],
  ) => Promise<VfioApDevice>;
  /** The names and texts of the writes to devices since the last time. */
  readonly writes: () => string[];
}

/** The machine of the kernel's document. */
export function machine(options: MatrixOptions = {}): ApMachine {
  const simulated = new SimulatedHost();
  const hardware = simulated.addMatrix({ freed: FREED, ...options });
  const host = new MdevHost({ fs: simulated.fs });
  let seen = 0;
  return {
    simulated,
    hardware,
    host,
    add: async (id, has = {}) => {
      hardware.assign(hardware.create(TYPE, id), has);
      return (await host.device(id).getOrThrow()).as(VfioApDevice).getOrThrow();
    },
    writes: () => {
      const calls = simulated.operations.slice(seen).filter(({ text }) => text !== undefined);
      seen = simulated.operations.length;
      return calls.map(({ path, text = "" }) => `${path.slice(path.lastIndexOf("/") + 1)} ${text.trim()}`);
    },
  };
}

/** The error of a result that must be one. */
export function errorOf<E>(result: { readonly ok: boolean; readonly error?: E | undefined }): E {
  if (result.ok || result.error === undefined) throw new Error("it succeeded");
  return result.error;
}
