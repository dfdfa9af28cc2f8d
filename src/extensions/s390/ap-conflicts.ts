import type { ApMatrix } from "./ap-matrix.js";
import { AP_IDS, apIds } from "./ap-numbers.js";
import { ApQueueSet } from "./ap-queue-set.js";

/**
 * The masks of the AP bus: a queue is the host's own drivers' where its adapter **and** its domain are in them.
 * Source: Linux, `drivers/s390/crypto/ap_bus.c`, `ap_apqn_in_matrix_owned_by_def_drv`.
 */
export interface HostMasks {
  /** Ids of adapters, 0 to 255: the file `/sys/bus/ap/apmask`. */
  readonly apmask: readonly number[];
  /** Ids of domains, 0 to 255: the file `/sys/bus/ap/aqmask`. */
  readonly aqmask: readonly number[];
}

/** What the host's side of the AP bus says, as far as it is known. */
export interface ApHostFacts extends HostMasks {
  /**
   * The highest id of an adapter on this machine: the file `/sys/bus/ap/ap_max_adapter_id`. `undefined` where it is not
   * known.
   */
  readonly maxAdapterId: number | undefined;
  /** The highest id of a domain: the file `/sys/bus/ap/ap_max_domain_id`. `undefined` where it is not known. */
  readonly maxDomainId: number | undefined;
}

/** Who has what, as far as it is known. */
export interface ApClaims {
  /** The matrices of the other devices, by their UUIDs. */
  readonly devices: Readonly<Record<string, ApMatrix>>;
  /** The host's side; left out where it is not known. */
  readonly host?: (HostMasks & Partial<ApHostFacts>) | undefined;
}

/** Queues that somebody else has. */
export interface ApConflict {
  /** Who: the host's own drivers, or another mediated device. */
  readonly owner: "host" | "device";
  /** The UUID of that device; `undefined` for the host. */
  readonly device: string | undefined;
  /** Which of the wanted queues. */
  readonly queues: ApQueueSet;
  /** What the kernel would refuse with. */
  readonly errno: "EADDRNOTAVAIL" | "EADDRINUSE";
}

/** What stands in the way of a matrix. Frozen, and data as JSON. */
export interface ApConflictReport {
  /** Who else has queues of it: the host first, for so the kernel looks, then the devices. None: it can be had. */
  readonly conflicts: readonly ApConflict[];
  /** Ids of adapters above the machine's highest, or above 255 where that is not known; the kernel refuses them (ENODEV). */
  readonly adaptersTooHigh: readonly number[];
  /** Ids of domains above the machine's highest, likewise. */
  readonly domainsTooHigh: readonly number[];
  /** The queues of it that nobody else is known to have. */
  readonly free: ApQueueSet;
  /** Whether the host's masks were known; where they were not, `conflicts` says nothing of the host. */
  readonly hostKnown: boolean;
}

/**
 * Who owns which queues of a wanted matrix, as the kernel will see it: a pure function.
 *
 * What counts are pairs of an adapter and a domain. Two devices can share an adapter, and a domain too, as long as they
 * share no pair; and a queue is the host's only where both masks have it. Control domains are nobody's alone.
 * Source: Linux, `drivers/s390/crypto/vfio_ap_ops.c`, `vfio_ap_mdev_validate_masks` and `vfio_ap_mdev_verify_no_sharing`.
 *
 * @example
 * ```ts
 * import { findApConflicts } from "vfio-mdev/s390";
 *
 * const { conflicts } = findApConflicts(
 *   { adapters: [5, 6], domains: [4] },
 *   {
 *     devices: { "6b7e3a05-7f3f-4b1a-8b0c-5d3c1f7f1e55": { adapters: [6], domains: [4, 0x47] } },
 *     host: { apmask: [0, 1, 2, 3, 4, 5], aqmask: [4] },
 *   },
 * );
 * for (const { owner, queues, errno } of conflicts) console.log(`${owner} ${queues} ${errno}`);
 * // prints: host 05.0004 EADDRNOTAVAIL
 * // prints: device 06.0004 EADDRINUSE
 * ```
 */
export function findApConflicts(wanted: ApMatrix, { devices, host }: ApClaims): ApConflictReport {
  const queues = ApQueueSet.of(wanted);
  const claims: ApConflict[] = [];
  if (host !== undefined) {
    const reserved = ApQueueSet.of({ adapters: host.apmask, domains: host.aqmask });
    claims.push(conflict("host", undefined, queues.intersection(reserved)));
  }
  for (const [device, matrix] of Object.entries(devices))
    claims.push(conflict("device", device, queues.intersection(ApQueueSet.of(matrix))));
  const above = (ids: readonly number[], highest: number = AP_IDS - 1): readonly number[] =>
    apIds(ids.filter((id) => id > highest));
  return Object.freeze({
    conflicts: Object.freeze(claims.filter(({ queues: taken }) => taken.size > 0)),
    adaptersTooHigh: above(wanted.adapters, host?.maxAdapterId),
    domainsTooHigh: above(wanted.domains, host?.maxDomainId),
    free: claims.reduce((free, { queues: taken }) => free.difference(taken), queues),
    hostKnown: host !== undefined,
  });
}

function conflict(owner: "host" | "device", device: string | undefined, queues: ApQueueSet): ApConflict {
  const errno = owner === "host" ? "EADDRNOTAVAIL" : "EADDRINUSE";
  return Object.freeze({ owner, device, queues, errno });
}
