import { type ApConfig, freezeConfig, sameConfig } from "./ap-config.js";

/** A write to one of a device's files that assigns or unassigns one number. */
export interface ApNumberWrite {
  /** The file, in the device's folder. */
  readonly file:
    | "assign_adapter"
    | "unassign_adapter"
    | "assign_domain"
    | "unassign_domain"
    | "assign_control_domain"
    | "unassign_control_domain";
  /** The adapter's or domain's id, 0 to 255. */
  readonly id: number;
}

/** A write to `ap_config`, which changes everything at once. */
export interface ApConfigWrite {
  /** The file, in the device's folder. */
  readonly file: "ap_config";
  /** What is assigned then. */
  readonly config: ApConfig;
}

/** One write to a vfio-ap device. */
export type ApWrite = ApNumberWrite | ApConfigWrite;

const KINDS = [
  ["adapters", "adapter"],
  ["domains", "domain"],
  ["controlDomains", "control_domain"],
] as const;

/**
 * The fewest writes that bring a device from one configuration to another, in an order that needs nothing on its way
 * that neither of the two has: a pure function.
 *
 * With `ap_config`, one write, or none. Without, one for each number that differs, for a write can change no more than
 * that: what has to go first, and then what has to come. So each step in between is a part of the one configuration or
 * of the other, and the kernel, which checks all pairs of adapters and domains each time, refuses none that it would
 * not have to refuse in the end.
 * Source: Linux, `Documentation/arch/s390/vfio-ap.rst`, for what is checked when.
 *
 * @example
 * ```ts
 * import { planApWrites } from "vfio-mdev/s390";
 *
 * const now = { adapters: [5], domains: [4], controlDomains: [] };
 * const wanted = { adapters: [6], domains: [4, 0xab], controlDomains: [4] };
 * for (const write of planApWrites(now, wanted, { apConfig: false })) {
 *   if (write.file !== "ap_config") console.log(`${write.file} ${write.id}`);
 * }
 * // prints: unassign_adapter 5
 * // prints: assign_adapter 6
 * // prints: assign_domain 171
 * // prints: assign_control_domain 4
 * console.log(planApWrites(now, wanted, { apConfig: true }).length); // prints: 1
 * ```
 */
export function planApWrites(
  current: ApConfig,
  wanted: ApConfig,
  { apConfig }: { readonly apConfig: boolean },
): readonly ApWrite[] {
  const [from, to] = [freezeConfig(current), freezeConfig(wanted)];
  if (apConfig) return sameConfig(from, to) ? [] : [Object.freeze({ file: "ap_config", config: to })];
  const without = (ids: readonly number[], others: readonly number[]): readonly number[] =>
    ids.filter((id) => !others.includes(id));
  const write = (file: ApNumberWrite["file"], id: number): ApWrite => Object.freeze({ file, id });
  return [
    ...KINDS.flatMap(([part, kind]) =>
      without(from[part], to[part]).map((id) => write(`unassign_${kind}`, id)),
    ),
    ...KINDS.flatMap(([part, kind]) =>
      without(to[part], from[part]).map((id) => write(`assign_${kind}`, id)),
    ),
  ];
}

/** The write that takes a write back. */
export function inverseOf(write: ApWrite, before: ApConfig): ApWrite {
  if (write.file === "ap_config") return { file: write.file, config: before };
  const file = write.file.startsWith("un") ? write.file.slice(2) : `un${write.file}`;
  return { file: file as ApNumberWrite["file"], id: write.id };
}
