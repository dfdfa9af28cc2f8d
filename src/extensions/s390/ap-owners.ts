import { type AttributeOptions, type ConflictOwner, Result, sharedLimits } from "../../index.js";
import { type ApConfig, apConfig } from "./ap-config.js";
import { findApConflicts } from "./ap-conflicts.js";
import { readApConfig, readApHoldings } from "./ap-holdings.js";
import type { ApMatrix } from "./ap-matrix.js";
import { apNumber } from "./ap-numbers.js";

type OwnersOf = NonNullable<AttributeOptions["ownersOf"]>;

/** Who has the queues of what a write would have assigned. The host is never among them: it is not a device. */
function ownersOf(wantedBy: (text: string, has: ApConfig) => Result<ApMatrix, string>): OwnersOf {
  return (device, text, options) => {
    const within = sharedLimits(options);
    return Result.gen(async function* () {
      const wanted = wantedBy(text, yield* readApConfig(device, within()));
      if (!wanted.ok) return Result.ok([]);
      const parent = yield* device.parent(within());
      const { configs } = yield* readApHoldings(parent, within());
      const devices = Object.fromEntries(Object.entries(configs).filter(([id]) => id !== device.id));
      const { conflicts } = findApConflicts(wanted.value, { devices });
      const owners = conflicts.map(({ device: id = "", queues }): ConflictOwner =>
        Object.freeze({ device: id, resources: Object.freeze(queues.toJSON()) }),
      );
      return Result.ok(Object.freeze(owners));
    });
  };
}

/** Of a number written to `assign_adapter`: the queues with all domains that the device has. */
export const adapterOwners: OwnersOf = ownersOf((text, { domains }) =>
  apNumber.decode(text).map((adapter) => ({ adapters: [adapter], domains })),
);

/** Of a number written to `assign_domain`: the queues with all adapters that the device has. */
export const domainOwners: OwnersOf = ownersOf((text, { adapters }) =>
  apNumber.decode(text).map((domain) => ({ adapters, domains: [domain] })),
);

/** Of what was written to `ap_config`. */
export const configOwners: OwnersOf = ownersOf((text) => apConfig.decode(text));
