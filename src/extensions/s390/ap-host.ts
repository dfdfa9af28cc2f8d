import {
  type AsyncResult,
  type Attribute,
  type AttributeReadError,
  type Codec,
  integer,
  type MdevHost,
  type OperationOptions,
  Result,
  sharedLimits,
  UnsupportedError,
} from "../../index.js";
import type { ApHostFacts } from "./ap-conflicts.js";
import { apMask } from "./ap-mask.js";

/**
 * The host's side of the AP bus: `/sys/bus/ap/{apmask,aqmask,ap_max_adapter_id,ap_max_domain_id}`; `unsupported` where
 * the machine has none. The two masks are two files: somebody can change one between the two reads.
 * Source: Linux, `drivers/s390/crypto/ap_bus.c`, `Documentation/arch/s390/vfio-ap.rst`.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { readApHost } from "vfio-mdev/s390";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addMatrix({ adapters: [5, 6], domains: [4], freed: { adapters: [5, 6] } });
 * const { apmask } = await readApHost(new MdevHost({ fs: simulated.fs })).getOrThrow();
 * console.log(apmask.slice(0, 6)); // prints: [ 0, 1, 2, 3, 4, 7 ]
 * ```
 */
export function readApHost(
  host: MdevHost,
  options?: OperationOptions,
): AsyncResult<ApHostFacts, AttributeReadError> {
  const limits = sharedLimits(options);
  const read = <T>(name: string, codec: Codec<T>): AsyncResult<T, AttributeReadError> =>
    present(host.attribute(`bus/ap/${name}`, codec), limits());
  return Result.gen(async function* () {
    const apmask = yield* read("apmask", apMask);
    const aqmask = yield* read("aqmask", apMask);
    const maxAdapterId = yield* read("ap_max_adapter_id", integer);
    const maxDomainId = yield* read("ap_max_domain_id", integer);
    return Result.ok(Object.freeze({ apmask, aqmask, maxAdapterId, maxDomainId }));
  });
}

function present<T>(
  attribute: Attribute<T>,
  options: OperationOptions | undefined,
): AsyncResult<T, AttributeReadError> {
  const { name, path } = attribute;
  const read = async (): Promise<Result<unknown, AttributeReadError>> => {
    const value: Result<unknown, AttributeReadError> = await attribute.read(options);
    if (!value.ok || value.value !== undefined) return value;
    const reason = "this machine does not show it";
    return Result.error(
      new UnsupportedError({ tried: `read ${name} of the host`, reason, path, missing: path ?? name }),
    );
  };
  // typescript-result cannot see through a generic result type.
  return Result.fromAsync(read) as AsyncResult<T, AttributeReadError>;
}
