import {
  type AsyncResult,
  type AttributeReadError,
  type MdevDevice,
  type OperationOptions,
  type Parent,
  Result,
  sharedLimits,
  UnsupportedError,
} from "../../index.js";
import { type ApConfig, apConfig, freezeConfig } from "./ap-config.js";
import { apDomainList, apMatrix } from "./ap-matrix.js";

/** What can be read of the devices of vfio-ap, by {@link VfioApParent.holdings}. Frozen. */
export interface ApHoldings {
  /** What is assigned to each device, by UUID. */
  readonly configs: Readonly<Record<string, ApConfig>>;
  /** The UUIDs of devices that do not show it: they are just being made or removed, and may still have queues. */
  readonly unknown: readonly string[];
}

/** All that is assigned to a device. */
export function readApConfig(
  device: MdevDevice,
  options: OperationOptions | undefined,
): AsyncResult<ApConfig, AttributeReadError> {
  const within = sharedLimits(options);
  return Result.gen(async function* () {
    const whole = yield* device.attribute("ap_config", apConfig).read(within());
    if (whole !== undefined) return Result.ok(whole);
    const matrix = yield* device.attribute("matrix", apMatrix).read(within());
    const controlDomains = yield* device.attribute("control_domains", apDomainList).read(within());
    if (matrix !== undefined && controlDomains !== undefined)
      return Result.ok(freezeConfig({ ...matrix, controlDomains }));
    const facts = { tried: `read the configuration of ${device.id}`, path: device.path };
    const reason = "it does not show what is assigned to it";
    return Result.error(new UnsupportedError({ ...facts, reason, missing: "matrix" }));
  });
}

/** What is assigned to each device of vfio-ap. */
export function readApHoldings(
  parent: Parent,
  options: OperationOptions | undefined,
): AsyncResult<ApHoldings, AttributeReadError> {
  const within = sharedLimits(options);
  const gather = async (): Promise<Result<ApHoldings, AttributeReadError>> => {
    const devices = await parent.devices(within());
    if (!devices.ok) return devices;
    const configs: Record<string, ApConfig> = {};
    const unknown: string[] = [];
    for (const device of devices.value) {
      const config = await readApConfig(device, within());
      if (config.ok) configs[device.id] = config.value;
      else if (config.error.type === "unsupported") unknown.push(device.id);
      else if (config.error.type !== "gone") return config;
    }
    return Result.ok(Object.freeze({ configs: Object.freeze(configs), unknown: Object.freeze(unknown) }));
  };
  return Result.fromAsync(gather);
}
