import { type Codec, Result } from "../../index.js";
import { apIds, apIdsFault } from "./ap-numbers.js";

/** Adapters and usage domains; its queues are all pairs of the two (APQNs). Plain data, frozen where we make it. */
export interface ApMatrix {
  /** Ids of adapters (APIDs), 0 to 255, ascending. */
  readonly adapters: readonly number[];
  /** Ids of usage domains (APQIs), 0 to 255, ascending. */
  readonly domains: readonly number[];
}

/** One page: what sysfs shows of a file at the most, less a byte. */
const SHOWN = 4095;
const ROWS = [
  /^(?<adapter>[0-9a-f]{2})\.(?<domain>[0-9a-f]{4})$/i,
  /^(?<adapter>[0-9a-f]{2})\.(?<domain>)$/i,
  /^(?<adapter>)\.(?<domain>[0-9a-f]{4})$/i,
];
const PAGE = "fills a page, so that the kernel may have cut it off; ap_config has it whole";

/** A matrix in the form that ours have: frozen, its ids ascending and each once. */
export function freezeMatrix({ adapters, domains }: ApMatrix): ApMatrix {
  return Object.freeze({ adapters: apIds(adapters), domains: apIds(domains) });
}

/**
 * The files `matrix` and `guest_matrix` of a vfio-ap device: a line `05.00ab` for each adapter and domain, hexadecimal.
 * Only adapters: `05.`; only domains: `.00ab`; neither: an empty file.
 *
 * The kernel cuts the text off at the end of a page: a matrix of 512 queues or more is not understood, rather than
 * half. Source: Linux, `vfio_ap_mdev_matrix_show` in `drivers/s390/crypto/vfio_ap_ops.c`.
 *
 * @example
 * ```ts
 * import { apMatrix } from "vfio-mdev/s390";
 *
 * const { adapters, domains } = apMatrix.decode("05.0004\n05.00ab\n06.0004\n06.00ab\n").getOrThrow();
 * console.log(adapters, domains); // prints: [ 5, 6 ] [ 4, 171 ]
 * ```
 */
export const apMatrix: Codec<ApMatrix> = {
  decode: (raw) => {
    if (raw.length >= SHOWN) return Result.error(PAGE);
    const lines = raw.trim() === "" ? [] : raw.trim().split("\n");
    const form = ROWS.find((row) => row.test(lines[0] ?? ""));
    const adapters = new Set<number>();
    const domains = new Set<number>();
    for (const line of lines) {
      const { adapter, domain } = form?.exec(line)?.groups ?? {};
      if (adapter === undefined || domain === undefined || Number.parseInt(domain, 16) > 255)
        return Result.error(`has a line ${JSON.stringify(line.slice(0, 40))} that is not such as 05.00ab`);
      if (adapter !== "") adapters.add(Number.parseInt(adapter, 16));
      if (domain !== "") domains.add(Number.parseInt(domain, 16));
    }
    const queues = Math.max(adapters.size, 1) * Math.max(domains.size, 1);
    if (lines.length > 0 && (lines.length !== queues || new Set(lines).size !== queues))
      return Result.error("does not hold each pair of an adapter and a domain once");
    return Result.ok(freezeMatrix({ adapters: [...adapters], domains: [...domains] }));
  },
  encode: (matrix) => {
    const fault = matrixFault(matrix);
    if (fault !== undefined) return Result.error(fault);
    const { adapters, domains } = freezeMatrix(matrix);
    const left = adapters.length === 0 && domains.length > 0 ? [""] : adapters.map((id) => hex(id, 2));
    const right = domains.length === 0 && adapters.length > 0 ? [""] : domains.map((id) => hex(id, 4));
    const text = left.flatMap((adapter) => right.map((domain) => `${adapter}.${domain}`)).join("\n");
    return text.length + 1 >= SHOWN ? Result.error("does not fit into a page") : Result.ok(text);
  },
};

/** Why a value is no matrix, as a clause; `undefined`: it is one. */
export function matrixFault(matrix: ApMatrix): string | undefined {
  if (typeof matrix !== "object" || (matrix as unknown) === null) return "is not an object";
  for (const part of ["adapters", "domains"] as const) {
    const fault = apIdsFault(matrix[part]);
    if (fault !== undefined) return `has ${part} whose list ${fault}`;
  }
  return undefined;
}

/**
 * The file `control_domains` of a vfio-ap device: a line `00ab` for each, hexadecimal; an empty file for none.
 * Source: Linux, `control_domains_show` in `drivers/s390/crypto/vfio_ap_ops.c`.
 */
export const apDomainList: Codec<readonly number[]> = {
  decode: (raw) => {
    const lines = raw.trim() === "" ? [] : raw.trim().split("\n");
    const ids = lines.map((line) => (/^00[0-9a-f]{2}$/i.test(line) ? Number.parseInt(line, 16) : NaN));
    if (ids.some(Number.isNaN)) return Result.error("has a line that is not such as 00ab");
    return Result.ok(apIds(ids));
  },
  encode: (ids) => {
    const fault = apIdsFault(ids);
    if (fault !== undefined) return Result.error(fault);
    return Result.ok(
      apIds(ids)
        .map((id) => hex(id, 4))
        .join("\n"),
    );
  },
};

function hex(id: number, digits: number): string {
  return id.toString(16).padStart(digits, "0");
}
