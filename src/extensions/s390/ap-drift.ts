import {
  type AsyncResult,
  type ExtensionError,
  type MdevDevice,
  type OperationOptions,
  Result,
  sharedLimits,
} from "../../index.js";
import { type ApConfig, apConfig, freezeConfig } from "./ap-config.js";
import { VfioApDevice } from "./ap-device.js";
import { apNumber } from "./ap-numbers.js";

/** What the attributes of a definition make of a part of a matrix, and what the device has. */
export interface ApDrift {
  /** The name of an attribute: `assign_adapter`, `ap_config`. */
  readonly name: string;
  /** What all attributes together assign of that part: `0x5 0x6`; of `ap_config` the three masks. */
  readonly defined: string;
  /** What is assigned, in the same form. */
  readonly actual: string;
}

type Part = keyof ApConfig;
const PARTS: Readonly<Record<string, Part>> = {
  adapter: "adapters",
  domain: "domains",
  control_domain: "controlDomains",
};
const NUMBER = /^(un)?assign_(adapter|domain|control_domain)$/u;
const WHOLE = "ap_config";

/**
 * Compares what a definition writes to a vfio-ap device with what is assigned to it: its attributes can only be
 * written, but what comes of them can be read ({@link VfioApDevice.config}). Each of their names is in the outcome
 * once; none of a device that is not vfio-ap's, nor where one of the values is none. For the option `compare` of
 * `drift` in `vfio-mdev/definitions`. Errors are those of {@link VfioApDevice.config}.
 */
export function compareMatrix(
  device: MdevDevice,
  attributes: Iterable<readonly [name: string, value: string]>,
  options?: OperationOptions,
): AsyncResult<readonly ApDrift[], ExtensionError> {
  const within = sharedLimits(options);
  const [...list] = attributes;
  const defined = outcomeOf(list);
  return VfioApDevice.fits(device).map((fits) => {
    if (!fits || defined === undefined) return Result.ok<readonly ApDrift[]>([]);
    return device
      .as(VfioApDevice)
      .map((crypto) => crypto.config(within()))
      .map((actual): readonly ApDrift[] => {
        const names = new Set(list.map(([name]) => name));
        return [...names].flatMap((name) => {
          const [was, is] = [shown(name, defined), shown(name, actual)];
          return was === undefined || is === undefined
            ? []
            : Object.freeze({ name, defined: was, actual: is });
        });
      });
  });
}

/** What a new device has after these writes; `undefined` where one of them would be refused. */
function outcomeOf(attributes: readonly (readonly [string, string])[]): ApConfig | undefined {
  const sets = { adapters: new Set<number>(), domains: new Set<number>(), controlDomains: new Set<number>() };
  for (const [name, value] of attributes) {
    const [, un, what = ""] = NUMBER.exec(name) ?? [];
    const part = PARTS[what];
    if (name === WHOLE) {
      const config = apConfig.decode(value);
      if (!config.ok) return undefined;
      for (const each of Object.values(PARTS)) sets[each] = new Set(config.value[each]);
    } else if (part !== undefined) {
      const id = apNumber.decode(value);
      if (!id.ok) return undefined;
      if (un === undefined) sets[part].add(id.value);
      else sets[part].delete(id.value);
    }
  }
  const { adapters, domains, controlDomains } = sets;
  return freezeConfig({
    adapters: [...adapters],
    domains: [...domains],
    controlDomains: [...controlDomains],
  });
}

/** The part of a configuration that an attribute changes, as text. */
function shown(name: string, config: ApConfig): string | undefined {
  if (name === WHOLE) return apConfig.encode(config).getOrDefault("");
  const part = PARTS[NUMBER.exec(name)?.[2] ?? ""];
  return part && config[part].map((id) => `0x${id.toString(16)}`).join(" ");
}
