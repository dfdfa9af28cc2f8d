import { type Codec, Result } from "../../index.js";
import { apMask } from "./ap-mask.js";
import { type ApMatrix, freezeMatrix, matrixFault } from "./ap-matrix.js";
import { apIds, apIdsFault } from "./ap-numbers.js";

/** All that is assigned to a vfio-ap device. Plain data, frozen where we make it. */
export interface ApConfig extends ApMatrix {
  /**
   * Ids of the domains that its guest may control, 0 to 255, ascending. They need not be usage domains, and are not
   * exclusive.
   */
  readonly controlDomains: readonly number[];
}

/** The parts of a configuration, in the order of `ap_config`. */
const AP_PARTS = ["adapters", "domains", "controlDomains"] as const;

/**
 * The file `ap_config` of a vfio-ap device (Linux 6.10 and later): three masks, of the adapters, the domains and the
 * control domains, with commas between. See {@link apMask} for how a mask is read. Always written with all 64 digits
 * each.
 * Source: Linux, `ap_config_show` and `ap_config_store` in `drivers/s390/crypto/vfio_ap_ops.c`.
 */
export const apConfig: Codec<ApConfig> = {
  decode: (raw) => {
    const masks = raw.trim().split(",");
    const [adapters, domains, controlDomains] = masks.map((mask) => apMask.decode(mask));
    if (masks.length !== 3 || !adapters?.ok || !domains?.ok || !controlDomains?.ok)
      return Result.error("is not three masks of up to 64 hexadecimal digits with commas between");
    return Result.ok(
      freezeConfig({
        adapters: adapters.value,
        domains: domains.value,
        controlDomains: controlDomains.value,
      }),
    );
  },
  encode: (config) => {
    const fault = configFault(config);
    if (fault !== undefined) return Result.error(fault);
    return Result.ok(AP_PARTS.map((part) => apMask.encode(config[part]).getOrDefault("")).join(","));
  },
};

/** A configuration in the form that ours have: frozen, its ids ascending and each once. */
export function freezeConfig(config: ApConfig): ApConfig {
  return Object.freeze({ ...freezeMatrix(config), controlDomains: apIds(config.controlDomains) });
}

/** Why a value is no configuration, as a clause; `undefined`: it is one. */
export function configFault(config: ApConfig): string | undefined {
  const fault = matrixFault(config);
  if (fault !== undefined) return fault;
  const domains = apIdsFault(config.controlDomains);
  return domains === undefined ? undefined : `has controlDomains whose list ${domains}`;
}

/** Whether two configurations are the same. */
export function sameConfig(one: ApConfig, other: ApConfig): boolean {
  return AP_PARTS.every((part) => apIds(one[part]).join() === apIds(other[part]).join());
}
